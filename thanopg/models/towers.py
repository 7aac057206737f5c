"""A model's two towers at one precision, tensors in, normalised tensors out."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch.nn import functional

from thanopg.models.text_tower import Encode

Engine = Literal["torch", "openvino"]
"""what runs a tower"""
NAMES = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.float16: "fp16"}


class Towers:
    """Runs an open_clip model, in float32 or lower, in inference mode."""

    def __init__(
        self,
        model: Any,
        encode_text: Encode,
        *,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        encode_image: Encode | None = None,
    ) -> None:
        """`model` is on `device` and stays as it is; `encode_text` is its `text_encoder`.

        `dtype`: of the arithmetic; float16 on CUDA only.
        `encode_image`: another engine's image tower, at that precision by itself.
        """
        self.precision = NAMES[dtype]
        self.engine: Engine = "torch" if encode_image is None else "openvino"
        self._device = device
        self._dtype = dtype
        lower = dtype is not torch.float32
        # On a CPU, autocast copies the attention's weights at every call and ends up slower than float32; an image
        # tower with weights stored in bfloat16 is three to five times faster. One text gains nothing, so texts stay
        # exact there. On CUDA, layer norms want autocast.
        self._stored = lower and device.type == "cpu" and encode_image is None
        self._model = _with_bfloat16_images(model) if self._stored else model
        self._encode_image: Encode = encode_image or self._model.encode_image
        self._encode_text = encode_text
        self._autocasts = lower and device.type != "cpu"

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """float32 (n, 3, height, width), scaled → float32 (n, dimensions) of length 1."""
        with self._running():
            return _normalised(self._encode_image(images.bfloat16() if self._stored else images))

    def encode_texts(self, ids: torch.Tensor) -> torch.Tensor:
        """int64 (n, context length) → float32 (n, dimensions) of length 1."""
        with self._running():
            return _normalised(self._encode_text(ids))

    @contextlib.contextmanager
    def _running(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            if self._autocasts:
                stack.enter_context(torch.autocast(self._device.type, dtype=self._dtype))
            yield


def _with_bfloat16_images(model: Any) -> Any:
    """The same model, sharing everything but the image tower, which is a lower copy."""
    import open_clip  # importable by now: the model came from it

    lower = copy.copy(model)
    lower._modules = {**model._modules, "visual": copy.deepcopy(model.visual)}
    if hasattr(lower.visual, "trunk"):  # timm's: open_clip's conversion would leave its layer norms behind
        lower.visual.to(torch.bfloat16)
    else:
        open_clip.convert_weights_to_lp(lower.visual, dtype=torch.bfloat16)
    return lower


def _normalised(features: torch.Tensor) -> torch.Tensor:
    return functional.normalize(features.float(), dim=-1)
