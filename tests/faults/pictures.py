"""The pictures of one run: files under an image root that are overwritten now and then, and every version's vector."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass
class Pictures:
    """`now` is the vector that a source ought to have; `ever` all that it ever ought to have had."""

    root: Path
    now: dict[str, np.ndarray] = field(default_factory=dict)
    ever: dict[str, list[np.ndarray]] = field(default_factory=dict)
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
        vector = vector_of(data)
        self.now[source] = vector
        self.ever.setdefault(source, []).append(vector)


def png(*, seed: int, side: int = 40) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def vector_of(data: bytes) -> np.ndarray:
    embedder = FakeEmbedder(DIMENSIONS)
    return np.asarray(embedder.embed_images(decode(data, embedder.preprocessing, ImageLimits())[None])[0])
