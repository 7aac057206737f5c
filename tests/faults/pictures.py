"""The pictures of one run: files under an image root that are overwritten now and then, and what a model makes of each
version."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from tests.faults.worker_process import DIMENSIONS
from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.models.fake import FakeEmbedder

FILES = 40
BROKEN = {
    "broken.png": "truncated",
    "words.png": "not_an_image",
    "../outside.png": "forbidden",
    "missing.png": "missing",
}
"""sources that can't be embedded, and the type of fault that is to be said"""
BROKEN_BYTES = b"these are words"


class Made(NamedTuple):
    """What ought to be made of a picture."""

    vector: np.ndarray
    caption: str
    caption_vector: np.ndarray


@dataclass
class Pictures:
    """`now` is what ought to be made of a source; `ever` all that ever ought to have been made of it."""

    root: Path
    now: dict[str, Made] = field(default_factory=dict)
    ever: dict[str, list[Made]] = field(default_factory=dict)
    version: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def make(cls, root: Path) -> Pictures:
        made = cls(root)
        root.mkdir()
        root.chmod(0o755)
        for n in range(FILES):
            made.overwrite(n)
        (root / "broken.png").write_bytes((root / "0.png").read_bytes()[:500])
        (root / "words.png").write_bytes(BROKEN_BYTES)
        root.with_name("outside.png").write_bytes((root / "0.png").read_bytes())
        return made

    def overwrite(self, n: int) -> None:
        """Another picture under the same path, all at once."""
        with self.lock:
            self.version += 1
            data = png(seed=self.version)
            half = self.root / f"{n}.half"
            half.write_bytes(data)
            half.replace(self.root / f"{n}.png")
            self._know(f"{n}.png", data)

    def inline(self, seed: int) -> str:
        """A picture of its own as a data: URI."""
        data = png(seed=seed, side=4)
        uri = "data:image/png;base64," + base64.b64encode(data).decode()
        with self.lock:
            self._know(uri, data)
        return uri

    def stored(self, seed: int) -> bytes:
        """A picture's bytes, as a column holds them."""
        data = png(seed=seed, side=4)
        with self.lock:
            self._know(hashlib.sha256(data).hexdigest(), data)
        return data

    def _know(self, source: str, data: bytes) -> None:
        made = made_of(data)
        self.now[source] = made
        self.ever.setdefault(source, []).append(made)


def png(*, seed: int, side: int = 40) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def made_of(data: bytes) -> Made:
    embedder, captioner = FakeEmbedder(DIMENSIONS), FakeEmbedder(0)
    pixels = decode(data, embedder.preprocessing, ImageLimits())[None]
    caption = unicodedata.normalize("NFC", captioner.caption_images(pixels, language="ko")[0].text)
    vectors = embedder.embed_images(pixels), embedder.embed_passages([caption]).vectors
    return Made(np.asarray(vectors[0][0]), caption, np.asarray(vectors[1][0]))
