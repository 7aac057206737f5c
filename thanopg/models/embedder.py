"""The contract between models and everyone who uses them. No torch here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from thanopg.errors import InvalidArgument, NotSupported

Pixels = NDArray[np.uint8]
"""(height, width, 3) or (n, height, width, 3), RGB, already resized and cropped as the model wants it"""
Vectors = NDArray[np.float32]
"""(n, dimensions), every row of length 1"""


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes the model's input, in open_clip's terms; a plain value that decoding processes are handed.

    Scaling by mean and standard deviation happens later, in `Embedder.embed_images`.
    """

    height: int
    width: int
    resize_mode: Literal["shortest", "longest", "squash"] = "shortest"
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    fill_color: int = 0
    draft: bool = False
    """large JPEGs may be scaled while they are decoded: several times quicker, though not bit for bit the same"""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What is known of a model without running it."""

    source: str
    architecture: str
    dimensions: int
    """0: it makes no vectors, and only writes captions"""
    fingerprint: str
    """hex sha256 over architecture, weights, preprocessing (mean and deviation too) and dimensions"""
    context_length: int
    """tokens that a text may have, start and end included"""
    can_caption: bool = False
    can_embed_texts: bool = True
    can_embed_images: bool = True

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


class TextEmbeddings(NamedTuple):
    vectors: Vectors
    truncated: tuple[bool, ...]
    """for each text: was it longer than the context, so that its end was cut off"""


class Caption(NamedTuple):
    """What a picture shows: a sentence, and for captioners that know more, its attributes as JSON would hold them."""

    text: str
    attributes: Mapping[str, Any] | None = None


class Embedder(Protocol):
    """Turns texts and images into vectors of one space. Calls are made from one thread at a time."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def preprocessing(self) -> Preprocessing: ...

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """n texts → float32 (n, dimensions), L2-normalised."""

    def embed_passages(self, texts: Sequence[str]) -> TextEmbeddings:
        """The same for texts that are searched rather than searched with; some models tell the two apart."""

    def embed_images(self, pixels: Pixels) -> Vectors:
        """uint8 (n, height, width, 3) → float32 (n, dimensions), L2-normalised."""


class Captioner(Embedder, Protocol):
    """An embedder that also says in words what pictures show, if its `info.can_caption` is true."""

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639-1 codes of what it writes, its own first; none where it writes no captions"""

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        """uint8 (n, height, width, 3) → n captions. One beam is greedy. `prompt`: for captioners that take one.

        Raises what `choose_language` raises, NotSupported for a prompt that it does not take.
        """


def check_pixels(pixels: Pixels, wanted: Preprocessing) -> None:
    """Raises InvalidArgument for what is no uint8 (n, height, width, 3)."""
    shape = (wanted.height, wanted.width, 3)
    if pixels.ndim != 4 or pixels.shape[1:] != shape or pixels.dtype != "uint8":
        size = ", ".join(map(str, shape))
        raise InvalidArgument(f"expected uint8 pixels (n, {size}), not {pixels.dtype} {pixels.shape}")


def check_embeds(info: ModelInfo, what: Literal["texts", "pictures"]) -> None:
    """Raises NotSupported for a model that makes no vectors of them."""
    if what == "texts" and not info.can_embed_texts:
        raise NotSupported(
            f"the model {info.source} embeds no texts",
            hint="it writes captions: caption_image; the bases e5 and bge-m3 embed texts, and so does any CLIP",
        )
    if what == "pictures" and not info.can_embed_images:
        can = "writes captions: caption_image" if info.can_caption else "embeds texts: embed_text"
        raise NotSupported(
            f"the model {info.source} embeds no pictures",
            hint=f"it {can}; the bases siglip2, clipen and catalog embed pictures, and so does any CLIP",
        )


def choose_language(model: Captioner, wanted: str | None = None) -> str:
    """What to write captions in: `wanted`, or the model's own. Raises NotSupported, InvalidArgument."""
    if not model.languages:
        raise NotSupported(
            f"the model {model.info.source} writes no captions",
            hint="the bases catalog, florence2 and blip do, any open_clip CoCa, transformers:organisation/name of a "
            "captioner, and a local-dir model with a captioner beside it",
        )
    if wanted is None:
        return model.languages[0]
    if wanted not in model.languages:
        written = ", ".join(model.languages)
        raise InvalidArgument(
            f"the model {model.info.source} writes captions in {written}, not in {wanted!r}",
            hint="language => " + " or ".join(f"'{each}'" for each in model.languages),
        )
    return wanted
