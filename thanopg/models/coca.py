"""Captions from an open_clip CoCa, by a loop of our own: its `generate` needs names that transformers 5 removed."""

from __future__ import annotations

from typing import Any

import torch

from thanopg.models.decoding import beam, greedy
from thanopg.models.embedder import Caption
from thanopg.models.tokens import Tokenizer

LONGEST = 30
"""new tokens, as open_clip's own `generate` has it"""


class CocaCaptioner:
    """Published CoCa weights write English."""

    languages = ("en",)

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        """`model` is on its device and in evaluation mode."""
        self._model = model
        self._tokenizer = tokenizer
        self._limit = min(LONGEST, int(model.context_length) - 1)

    def caption(self, images: torch.Tensor, *, language: str, beams: int = 1) -> list[Caption]:
        """float32 (n, 3, height, width), scaled → n captions; `language` is one of `languages`. One beam is greedy."""
        start, end = self._tokenizer.start, self._tokenizer.end
        starts = torch.full((len(images), 1), start, device=images.device)
        with torch.inference_mode():
            seen = self._model(images)
            latent, places = (seen[name].repeat_interleave(beams, 0) for name in ("image_features", "image_embs"))

            def step(ids: torch.Tensor) -> torch.Tensor:
                found = self._model(None, ids, image_latent=latent, image_embs=places, output_labels=False)
                logits: torch.Tensor = found["logits"][:, -1]
                return logits

            if beams == 1:
                rows = greedy(step, starts, end=end, limit=self._limit)
            else:
                rows = beam(step, starts, end=end, limit=self._limit, beams=beams)
        return [Caption(self._tokenizer.decode(row)) for row in rows]
