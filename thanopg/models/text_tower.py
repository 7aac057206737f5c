"""Text encoding that leaves out padding where that is exact.

Behind a causal mask no token sees what follows it, so with pooling at the end token everything after the longest
text of a batch can be left out. Towers with attention both ways (SigLIP), with a class token (CoCa), pooled
elsewhere, or that turn out to differ when tried once, run on full rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import torch
from torch.nn import functional

TRIAL_TEXTS = ("a photograph", "빨간색 원피스를 입은 사람")
SAME = 0.99999
"""cosine below which a trimmed row counts as different"""

Encode = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class TextEncoder:
    """int64 ids (n, context length) → float (n, dimensions), not normalised."""

    tower: Any
    """Module, or what runs it, from what `inputs` makes of ids"""
    pooling: Literal["argmax", "eos"] | None
    """how the end of a text is found; None: rows are not trimmed"""
    end_token: int = -1
    engine: str = "torch"

    @property
    def trims(self) -> bool:
        return self.pooling is not None

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.tower(*self.inputs(ids)))

    def inputs(self, ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """ids as they are, or trimmed to (n, longest) with the place of each end (n,)."""
        if self.pooling is None:
            return (ids,)
        ends = ids.argmax(dim=-1) if self.pooling == "argmax" else torch.eq(ids, self.end_token).int().argmax(dim=-1)
        return ids[:, : int(ends.max()) + 1], ends

    def run_by(self, engine: str, tower: Callable[..., torch.Tensor]) -> TextEncoder:
        """The same with the tower of another engine."""
        return replace(self, engine=engine, tower=tower)


def text_encoder(model: Any, tokenize: Callable[[tuple[str, ...]], torch.Tensor]) -> TextEncoder:
    """The quickest exact way for this model."""
    full = TextEncoder(tower=ModelMethod(model, "encode_text"), pooling=None)
    trimmed = _trimmed(model)
    if trimmed is None:
        return full
    with torch.inference_mode():
        ids = tokenize(TRIAL_TEXTS)
        same = functional.cosine_similarity(full(ids), trimmed(ids)).min() >= SAME
    return trimmed if same else full


class ModelMethod(torch.nn.Module):
    """`encode_image` or `encode_text` of a model, as a module that can be converted."""

    def __init__(self, model: Any, name: str) -> None:
        super().__init__()
        self.model = model
        self.name = name

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = getattr(self.model, self.name)(inputs)
        return features


class _Trimmed(torch.nn.Module):
    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, ids: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        tower, length = self.tower, ids.shape[1]
        dtype = tower.transformer.get_cast_dtype()
        x = tower.token_embedding(ids).to(dtype) + tower.positional_embedding[:length].to(dtype)
        x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
        pooled = x.gather(1, ends[:, None, None].expand(-1, 1, x.shape[2])).squeeze(1)
        if tower.text_projection is not None:
            linear = isinstance(tower.text_projection, torch.nn.Linear)
            pooled = tower.text_projection(pooled) if linear else pooled @ tower.text_projection
        return cast(torch.Tensor, pooled)


def _trimmed(model: Any) -> TextEncoder | None:
    tower = getattr(model, "text", model)
    pooling = getattr(model, "text_pool_type", None) or getattr(tower, "pool_type", None)
    end_token: int = getattr(model, "text_eos_id", -1) if tower is model else getattr(tower, "eos_id", -1)
    parts = ("token_embedding", "positional_embedding", "transformer", "ln_final", "text_projection", "attn_mask")
    if pooling not in ("argmax", "eos") or not all(hasattr(tower, part) for part in parts):
        return None
    if getattr(tower, "cls_emb", None) is not None or getattr(tower, "use_pad_mask", False):
        return None
    if not _is_causal(tower.attn_mask):
        return None
    return TextEncoder(tower=_Trimmed(tower), pooling=pooling, end_token=end_token)


def _is_causal(mask: torch.Tensor | None) -> bool:
    if mask is None:
        return False
    above = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return bool(torch.isneginf(mask[above]).all() and (mask[~above] == 0).all())
