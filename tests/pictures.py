"""Pictures that resemble photographs (smooth areas, edges, a little noise), and their files in many formats."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def photograph(width: int = 320, height: int = 240, *, seed: int = 0) -> Image.Image:
    """RGB, different for every seed, without symmetry."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    image = coarse.resize((width, height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = int(rng.integers(4, max(5, min(width, height) // 3)))
        draw.ellipse((x, y, x + size, y + size // 2 + 1), fill=tuple(int(c) for c in rng.integers(0, 256, 3)))
    noise = rng.integers(-6, 7, (height, width, 3))
    return Image.fromarray((np.asarray(image).astype(int) + noise).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """A file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photograph(), "JPEG", **{"quality": 92, **options})


ORDINARY: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg": lambda image: jpeg(image),
    "jpeg, progressive": lambda image: jpeg(image, progressive=True),
    "jpeg, 4:4:4": lambda image: jpeg(image, subsampling=0),
    "jpeg, grey": lambda image: jpeg(image.convert("L")),
    "png": lambda image: encoded(image, "PNG"),
    "png, grey": lambda image: encoded(image.convert("L"), "PNG"),
    "webp": lambda image: encoded(image, "WEBP", quality=90),
    "webp, lossless": lambda image: encoded(image, "WEBP", lossless=True),
    "bmp": lambda image: encoded(image, "BMP"),
    "tiff": lambda image: encoded(image, "TIFF"),
    "tiff, lzw": lambda image: encoded(image, "TIFF", compression="tiff_lzw"),
    "tiff, jpeg": lambda image: encoded(image, "TIFF", compression="jpeg"),
    "cmyk jpeg": lambda image: jpeg(image.convert("CMYK")),
    "cmyk tiff": lambda image: encoded(image.convert("CMYK"), "TIFF"),
}
"""what open_clip's own preprocessing treats sensibly, so that ours must equal it bit for bit"""


def jpeg_of_many_scans(side: int, scans: int) -> bytes:
    """A small progressive JPEG of side × side that is valid enough to decode, and takes as long as there are scans.

    Each scan is empty, yet the decoder walks over every block of the picture for it.
    """

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

    quantization = segment(0xDB, b"\0" + b"\1" * 64)
    frame = segment(0xC2, b"\x08" + side.to_bytes(2, "big") * 2 + b"\1\1\x11\0")
    one_code = b"\0\1" + b"\0" * 14  # a single code of two bits
    tables = segment(0xC4, b"\x00" + one_code + b"\0") + segment(0xC4, b"\x10" + one_code + b"\0")
    first = segment(0xDA, b"\1\1\0" + b"\0\0\1")
    again = segment(0xDA, b"\1\1\0" + b"\0\0\x10")
    return b"\xff\xd8" + quantization + frame + tables + first + again * scans + b"\xff\xd9"
