"""What each kind of embedding column asks of its model, and what of the answer is fit to be stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

import numpy as np

from thanopg.errors import ImageError, NotSupported
from thanopg.models.embedder import Pixels, Preprocessing, Vectors, choose_language
from thanopg.models.library import LoadedModel
from thanopg.worker.claim import EmbeddingColumn, Kind, Made
from thanopg.worker.packed import packed
from thanopg.worker.words import UnusableCaption, stored_attributes, stored_text

logger = logging.getLogger(__name__)

LENGTH_TOLERANCE = 1e-2


class Use(NamedTuple):
    """What tells the results of one content apart: they are remembered under it."""

    fingerprint: str
    kind: Kind
    language: str | None = None
    prompt: str | None = None


class Maker(Protocol):
    """A model in one use. Called from one thread."""

    @property
    def use(self) -> Use: ...

    @property
    def preprocessing(self) -> Preprocessing | None:
        """None: it is given texts"""

    def make(self, materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        """One result or fault per material, all of the kind that it takes. Raises whatever the model raises."""


def maker_of(column: EmbeddingColumn, model: LoadedModel) -> Maker:
    """Raises NotSupported, InvalidArgument if the model can't do what this column needs."""
    match column.kind:
        case "image":
            return PictureVectors(column, model)
        case "text":
            return TextVectors(column, model)
        case "caption":
            return Captions(column, model)


class PictureVectors:
    """Pictures → vectors."""

    def __init__(self, column: EmbeddingColumn, model: LoadedModel) -> None:
        if not model.info.can_embed_images:
            raise NotSupported(f"{column.label}: the model {model.info.source} makes no vectors of pictures")
        self._model = model
        self.use = Use(column.fingerprint, "image")
        self.preprocessing: Preprocessing | None = model.preprocessing

    def make(self, materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        pixels = np.stack(cast(Sequence[Pixels], materials))
        return _stored(self._model.embed_images(pixels))


class TextVectors:
    """Texts → vectors."""

    preprocessing: Preprocessing | None = None

    def __init__(self, column: EmbeddingColumn, model: LoadedModel) -> None:
        if not model.info.can_embed_texts:
            raise NotSupported(f"{column.label}: the model {model.info.source} makes no vectors of texts")
        self._model = model
        self._label = column.label
        self.use = Use(column.fingerprint, "text")

    def make(self, materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        vectors, truncated = self._model.embed_passages(cast(Sequence[str], materials))
        if any(truncated):
            logger.info(
                "%s: %d of %d texts are longer than the %d tokens of the model; what is beyond counts for nothing",
                *(self._label, sum(truncated), len(materials), self._model.info.context_length),
            )
        return _stored(vectors)


class Captions:
    """Pictures → sentences, with attributes where the model knows some."""

    def __init__(self, column: EmbeddingColumn, model: LoadedModel) -> None:
        self._model = model
        self._language = choose_language(model, column.language)
        self._prompt = column.prompt
        self.use = Use(column.fingerprint, "caption", self._language, self._prompt)
        self.preprocessing: Preprocessing | None = model.preprocessing

    def make(self, materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        pixels = np.stack(cast(Sequence[Pixels], materials))
        made: list[Made | ImageError] = []
        for caption in self._model.caption_images(pixels, language=self._language, prompt=self._prompt):
            try:
                made.append(Made(stored_text(caption.text), stored_attributes(caption.attributes)))
            except UnusableCaption as error:
                made.append(ImageError("unusable_caption", f"the model answered with {error}"))
        return made


def _stored(vectors: Vectors) -> list[Made | ImageError]:
    """A zero, non-finite or unnormalised vector is never written: it would be found by everything or nothing."""
    lengths = np.linalg.norm(vectors, axis=1)
    return [
        Made(vector) if abs(length - 1) <= LENGTH_TOLERANCE else _unfit(length)
        for vector, length in zip(packed(vectors), lengths.tolist(), strict=True)
    ]


def _unfit(length: float) -> ImageError:
    what = f"of length {length:.3g}, not 1" if np.isfinite(length) else "that is not finite"
    return ImageError("not_finite", f"the model answered with a vector {what}")
