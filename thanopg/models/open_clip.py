"""open_clip behind the `Embedder` contract: the same vectors as plain open_clip, in fewer steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from thanopg.errors import ModelUnavailable, NotSupported
from thanopg.models.captions import find_captions
from thanopg.models.checkpoint import Checkpoint, open_checkpoint
from thanopg.models.device import choose_device
from thanopg.models.device_pixels import channels_last, on_device
from thanopg.models.embedder import (
    Caption,
    ModelInfo,
    Pixels,
    Preprocessing,
    TextEmbeddings,
    Vectors,
    check_pixels,
    choose_language,
)
from thanopg.models.engine import choose_texts, choose_towers
from thanopg.models.fingerprint import fingerprint
from thanopg.models.openvino_towers import compile_images, compile_texts
from thanopg.models.text_tower import TextEncoder, text_encoder
from thanopg.models.tokens import Tokenizer
from thanopg.models.towers import Engine, Towers

SAMPLE_TEXTS = ("a red dress", "밝은 빨간색 미니 원피스")
TRIAL_REPEATS = 32
"""of the two sample pictures on a GPU: a worker's batch"""


class Tried(NamedTuple):
    """A way to run a model, or its text tower, as a trial on it came out."""

    what: str
    """model or texts"""
    engine: str
    precision: str
    cosine: float
    """smallest, to float32's vectors of torch"""
    seconds: float
    """for the sample"""


class OpenClipEmbedder:
    """Implements `Embedder` with an open_clip model, in inference mode, on one device."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        source: str,
        device: torch.device,
        precision: str = "auto",
        engine: str = "torch",
    ) -> None:
        """Raises ModelUnavailable when the model is not what its configuration says."""
        model: Any = checkpoint.model
        pixels = _pixel_configuration(model.visual.preprocess_cfg)
        dimensions = int(checkpoint.configuration["embed_dim"])
        self._tokenizer = Tokenizer(checkpoint.tokenizer)
        self._device = device
        self._mean = torch.tensor(pixels["mean"], device=device).view(3, 1, 1)
        self._deviation = torch.tensor(pixels["std"], device=device).view(3, 1, 1)
        self.preprocessing = Preprocessing(
            **{name: pixels[name] for name in Preprocessing.__dataclass_fields__ if name in pixels}
        )
        geometry = fingerprint(
            architecture=checkpoint.configuration,
            preprocessing=pixels,
            dimensions=dimensions,
            state=model.state_dict(),
        )
        model.to(device, memory_format=torch.channels_last if channels_last(device) else torch.preserve_format)
        self._captions = find_captions(checkpoint, self._tokenizer, fingerprint=geometry, device=device)
        self.info = ModelInfo(
            source=source,
            architecture=checkpoint.name,
            dimensions=dimensions,
            fingerprint=geometry,
            context_length=self._tokenizer.context_length,
            can_caption=self._captions is not None,
        )
        parameters = sum(parameter.numel() for parameter in model.parameters())
        self.tried: list[Tried] = []
        """what was tried on this model before one was chosen"""
        exact = text_encoder(model, self._ids)
        encode_text = choose_texts(
            engine,
            exact,
            lambda: compile_texts(exact, self._ids(SAMPLE_TEXTS), fingerprint=geometry),
            device=device,
            parameters=parameters,
            trial=self._trial_of_texts,
            tell=lambda encoder, outcome: self.tried.append(Tried("texts", encoder.engine, "fp32", *outcome)),
        )
        self.text_engine = encode_text.engine
        """what runs the text tower"""

        def make(engine: Engine, dtype: torch.dtype) -> Towers:
            images = None
            if engine == "openvino":
                size = (self.preprocessing.height, self.preprocessing.width)
                images = compile_images(model, size=size, fingerprint=geometry, bfloat16=dtype is torch.bfloat16)
            return Towers(model, encode_text, device=device, dtype=dtype, encode_image=images)

        self._towers = choose_towers(
            precision,
            engine,
            make,
            device=device,
            parameters=parameters,
            trial=self._trial,
            tell=lambda towers, outcome: self.tried.append(Tried("model", towers.engine, towers.precision, *outcome)),
        )
        found = self.embed_texts(["x"]).vectors.shape[1]
        if found != dimensions:
            raise ModelUnavailable(
                f"expected {dimensions} dimensions of {source}, not {found}",
                hint="embed_dim in its open_clip_config.json does not fit its weights",
            )

    @property
    def device(self) -> str:
        """cuda:N, mps or cpu"""
        return str(self._device)

    @property
    def precision(self) -> str:
        """fp32, bf16 or fp16: what was chosen"""
        return self._towers.precision

    @property
    def engine(self) -> str:
        """torch or openvino: what runs the image tower"""
        return self._towers.engine

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """n texts → float32 (n, dimensions), L2-normalised, and for each whether its end was cut off."""
        if not texts:
            return TextEmbeddings(self._none(), ())
        tokens = self._tokenizer(texts)
        return TextEmbeddings(_vectors(self._towers.encode_texts(tokens.ids.to(self._device))), tokens.truncated)

    embed_passages = embed_texts

    def embed_images(self, pixels: Pixels) -> Vectors:
        """uint8 (n, height, width, 3) → float32 (n, dimensions), L2-normalised."""
        check_pixels(pixels, self.preprocessing)
        return _vectors(self._towers.encode_images(self._images(pixels))) if len(pixels) else self._none()

    @property
    def languages(self) -> tuple[str, ...]:
        """of its captions; none where it writes none"""
        return self._captions.languages if self._captions else ()

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        """uint8 (n, height, width, 3) → n captions. One beam is greedy. Raises InvalidArgument, NotSupported."""
        language = choose_language(self, language)
        if prompt is not None:
            raise NotSupported(f"the captioner of {self.info.source} takes no prompt", hint="leave it out")
        check_pixels(pixels, self.preprocessing)
        if not len(pixels) or self._captions is None:
            return []
        return self._captions.caption(self._images(pixels), language=language, beams=beams)

    def _images(self, pixels: Pixels) -> torch.Tensor:
        # then Normalize, operation by operation too
        return self._scaled(on_device(pixels, self._device, side_by_side=channels_last(self._device)))

    def _scaled(self, images: torch.Tensor) -> torch.Tensor:
        return images.sub_(self._mean).div_(self._deviation)

    def _ids(self, texts: Sequence[str]) -> torch.Tensor:
        return self._tokenizer(texts).ids.to(self._device)

    def _none(self) -> Vectors:
        return _vectors(torch.empty((0, self.info.dimensions)))

    def _trial(self, towers: Towers) -> torch.Tensor:
        """Vectors of a smooth picture, the same with noise, and texts; always the same.

        On a GPU so many of them that they keep it busy: two pictures would only show how long it takes to send them.
        """
        size = (self.preprocessing.height, self.preprocessing.width)
        generator = torch.Generator().manual_seed(0)
        coarse = torch.rand((1, 3, 7, 7), generator=generator)
        smooth = functional.interpolate(coarse, size=size, mode="bilinear")
        noisy = (smooth + 0.2 * torch.rand(smooth.shape, generator=generator)).clamp(0, 1)
        images = torch.cat([smooth, noisy]).repeat(TRIAL_REPEATS if self._device.type == "cuda" else 1, 1, 1, 1)
        images = images.to(self._device)
        return torch.cat([towers.encode_images(self._scaled(images)), towers.encode_texts(self._ids(SAMPLE_TEXTS))])

    def _trial_of_texts(self, encode: TextEncoder) -> torch.Tensor:
        with torch.inference_mode():
            return encode(self._ids(SAMPLE_TEXTS))


def load_open_clip(
    source: str, *, device: str | None = None, precision: str = "auto", engine: str = "torch"
) -> OpenClipEmbedder:
    """Canonical source → embedder. Raises InvalidArgument, UnknownModel, ModelUnavailable."""
    chosen = choose_device(device)
    return OpenClipEmbedder(open_checkpoint(source), source=source, device=chosen, precision=precision, engine=engine)


def _vectors(features: torch.Tensor) -> Vectors:
    return features.cpu().numpy()


def _pixel_configuration(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """open_clip's preprocess_cfg with its spellings made one: sizes a pair, mean and deviation triples."""
    size = configuration["size"]
    height, width = (size, size) if isinstance(size, int) else (size[0], size[-1])

    def triple(value: Any) -> tuple[float, ...]:
        return tuple(float(v) for v in (value if isinstance(value, list | tuple) else (value,) * 3))

    return {
        "height": int(height),
        "width": int(width),
        "resize_mode": configuration.get("resize_mode") or "shortest",
        # open_clip's "random" is for training; it means bicubic otherwise
        "interpolation": "bilinear" if configuration.get("interpolation") == "bilinear" else "bicubic",
        "fill_color": int(configuration.get("fill_color") or 0),
        "mean": triple(configuration["mean"]),
        "std": triple(configuration["std"]),
    }
