"""Pictures to measure with: photographs made on the spot, or a sample of the user's own files."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thanopg.config import ImageLimits
from thanopg.errors import ImageError, InvalidArgument
from thanopg.images.decode import decode
from thanopg.images.noise import photograph
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Preprocessing

SIZES = {"640 × 480": (640, 480), "1080p": (1920, 1080), "12 megapixels": (4000, 3000)}
QUALITY = 88
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".mpo"})
SAMPLE = 32
"""of the user's own files"""
MOST_LISTED = 20_000
"""files of a directory that are looked at to choose from"""


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """Files of about one size, as bytes."""

    label: str
    files: Sequence[bytes]


def made_photographs() -> list[Photographs]:
    """JPEGs with detail at every scale, of the sizes that shops, screens and cameras have."""
    drawn = photograph(1920, 1080)
    turned = [drawn, drawn[::-1, ::-1]]
    return [
        Photographs(label=label, files=[_jpeg(_sized(picture, *size)) for picture in turned])
        for label, size in SIZES.items()
    ]


def own_photographs(root: Path, limits: ImageLimits, preprocessing: Preprocessing) -> tuple[Photographs, Counter[str]]:
    """A sample of the pictures below `root` that can be decoded, and how many could not, by fault.

    Raises InvalidArgument where there are none.
    """
    if not root.is_dir():
        raise InvalidArgument(f"{root} is not a directory", hint="name one with pictures: --pictures")
    paths = _sample(root)
    if not paths:
        raise InvalidArgument(
            f"no pictures below {root}", hint=f"looked for {' '.join(sorted(SUFFIXES))}; name another: --pictures"
        )
    reader = ImageReader(root, limits)
    files, faults, first = list[bytes](), Counter[str](), ""
    for path in paths:
        try:
            data = reader.read(str(path)).data
            decode(data, preprocessing, limits)
            files.append(data)
        except ImageError as error:
            faults[error.fault] += 1
            first = first or f"{path}: {error.message}"
    if not files:
        raise InvalidArgument(f"none of {len(paths)} pictures below {root} can be used, the first: {first}")
    return Photographs(label="yours", files=files), faults


def _sample(root: Path) -> list[Path]:
    """Relative to `root`, any, but the same ones the next time."""
    listed = [path for path, _ in zip(_pictures(root), range(MOST_LISTED), strict=False)]
    chosen = random.Random(0).sample(listed, min(SAMPLE, len(listed)))  # noqa: S311  # nothing secret
    return sorted(chosen)


def _pictures(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.suffix.lower() in SUFFIXES and not path.is_dir():
            yield path.relative_to(root)


def _sized(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A part of it, or it and its mirror images side by side: drawing 12 megapixels would take seconds."""
    down = np.concatenate([picture, picture[::-1]] * (height // len(picture) // 2 + 1))[:height]
    return np.concatenate([down, down[:, ::-1]] * (width // down.shape[1] // 2 + 1), axis=1)[:, :width]


def _jpeg(picture: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
