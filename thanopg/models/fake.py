"""Models without weights, for tests of everything around models: `fake:64` makes vectors of 64 dimensions, `fake:0`
none, and writes captions instead.

Vectors and captions are a function of the content alone, so equal pictures have equal ones and different ones, near
certainty, different ones. They mean nothing.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

import numpy as np

from thanopg.errors import InvalidArgument, NotSupported
from thanopg.models.embedder import Caption, ModelInfo, Pixels, Preprocessing, TextEmbeddings, Vectors, choose_language

SIDE = 32
CONTEXT_LENGTH = 77
WORDS = {"ko": "무늬가 있는 그림", "en": "a picture with a pattern"}


class FakeEmbedder:
    """Implements `Captioner` from hashes."""

    def __init__(self, dimensions: int) -> None:
        if not 0 <= dimensions <= 16_000:
            raise InvalidArgument(f"a fake model has 0 to 16000 dimensions, not {dimensions}")
        self.preprocessing = Preprocessing(height=SIDE, width=SIDE)
        self.languages: tuple[str, ...] = () if dimensions else tuple(WORDS)
        self.info = ModelInfo(
            source=f"fake:{dimensions}",
            architecture="fake",
            dimensions=dimensions,
            fingerprint=hashlib.sha256(f"fake {dimensions} {self.preprocessing}".encode()).hexdigest(),
            context_length=CONTEXT_LENGTH,
            can_caption=not dimensions,
            can_embed_texts=bool(dimensions),
            can_embed_images=bool(dimensions),
        )

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        vectors = self._vectors([text.encode() for text in texts])
        return TextEmbeddings(vectors, tuple(len(text.split()) > CONTEXT_LENGTH - 2 for text in texts))

    def embed_passages(self, texts: Sequence[str]) -> TextEmbeddings:
        return self.embed_texts(texts)

    def embed_images(self, pixels: Pixels) -> Vectors:
        return self._vectors([image.tobytes() for image in pixels])

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        """Hangul comes decomposed, as some tokenizers give it. The prompt is answered by being repeated."""
        words = unicodedata.normalize("NFD", " ".join(filter(None, (prompt, WORDS[choose_language(self, language)]))))
        numbers = [hashlib.sha256(image.tobytes()).hexdigest()[:12] for image in pixels]
        return [Caption(f"{words} {number}", {"number": number, "언어": language}) for number in numbers]

    def _vectors(self, contents: Sequence[bytes]) -> Vectors:
        if not self.info.dimensions:
            raise NotSupported(f"the model {self.info.source} makes no vectors")
        if not contents:
            return np.empty((0, self.info.dimensions), dtype=np.float32)
        return np.stack([self._vector(content) for content in contents])

    def _vector(self, content: bytes) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(content).digest()[:8], "big")
        vector = np.random.default_rng(seed).standard_normal(self.info.dimensions).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
