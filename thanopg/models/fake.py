"""A model without weights, for tests of everything around models: `fake:64` has 64 dimensions.

Vectors are a function of the content alone, so equal pictures have equal vectors and different ones, near
certainty, different vectors. It means nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from thanopg.errors import InvalidArgument
from thanopg.models.embedder import ModelInfo, Pixels, Preprocessing, TextEmbeddings, Vectors

SIDE = 32
CONTEXT_LENGTH = 77


class FakeEmbedder:
    """Implements `Embedder` from hashes."""

    def __init__(self, dimensions: int) -> None:
        if not 1 <= dimensions <= 16_000:
            raise InvalidArgument(f"a fake model has 1 to 16000 dimensions, not {dimensions}")
        self.preprocessing = Preprocessing(height=SIDE, width=SIDE)
        self.info = ModelInfo(
            source=f"fake:{dimensions}",
            architecture="fake",
            dimensions=dimensions,
            fingerprint=hashlib.sha256(f"fake {dimensions} {self.preprocessing}".encode()).hexdigest(),
            context_length=CONTEXT_LENGTH,
        )

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        vectors = self._vectors([text.encode() for text in texts])
        return TextEmbeddings(vectors, tuple(len(text.split()) > CONTEXT_LENGTH - 2 for text in texts))

    embed_passages = embed_texts

    def embed_images(self, pixels: Pixels) -> Vectors:
        return self._vectors([image.tobytes() for image in pixels])

    def _vectors(self, contents: Sequence[bytes]) -> Vectors:
        if not contents:
            return np.empty((0, self.info.dimensions), dtype=np.float32)
        return np.stack([self._vector(content) for content in contents])

    def _vector(self, content: bytes) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(self.info.dimensions).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
