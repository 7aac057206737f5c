"""Which captioner a loaded model has, if any: CoCa's own, or the small one that lies beside a CLIP."""

from __future__ import annotations

from typing import Protocol

import torch

from thanopg.models.captioner import has_captioner, load_captioner
from thanopg.models.checkpoint import Checkpoint
from thanopg.models.coca import CocaCaptioner
from thanopg.models.embedder import Caption
from thanopg.models.tokens import Tokenizer


class Captions(Protocol):
    """Scaled pictures to captions."""

    @property
    def languages(self) -> tuple[str, ...]: ...

    def caption(self, images: torch.Tensor, *, language: str, beams: int = 1) -> list[Caption]:
        """float32 (n, 3, height, width) → n captions; `language` is one of `languages`."""


def find_captions(
    checkpoint: Checkpoint, tokenizer: Tokenizer, *, fingerprint: str, device: torch.device
) -> Captions | None:
    """The model is on `device`. Raises ModelUnavailable for a captioner that is damaged or of another model."""
    if type(checkpoint.model).__name__ == "CoCa":
        return CocaCaptioner(checkpoint.model, tokenizer)
    if checkpoint.directory is not None and has_captioner(checkpoint.directory):
        return load_captioner(
            checkpoint.directory,
            fingerprint=fingerprint,
            visual=checkpoint.model.visual,
            tokenizer=tokenizer,
            device=device,
        )
    return None
