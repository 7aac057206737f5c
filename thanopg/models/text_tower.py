"""Text encoding that leaves out padding where that is exact.

Behind a causal mask no token sees what follows it, so with pooling at the end token everything after the longest
text of a batch can be left out. Towers with attention both ways (SigLIP), with a class token (CoCa), pooled
elsewhere, or that turn out to differ when tried once, run on full rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch.nn import functional

TRIAL_TEXTS = ("a photograph", "빨간색 원피스를 입은 사람")
SAME = 0.99999
"""cosine below which a trimmed row counts as different"""

Encode = Callable[[torch.Tensor], torch.Tensor]


def text_encoder(model: Any, tokenize: Callable[[tuple[str, ...]], torch.Tensor]) -> Encode:
    """int64 ids (n, context length) → float (n, dimensions), not normalised; the quickest exact way for this model."""
    full: Encode = model.encode_text
    trimmed = _trimmed(model)
    if trimmed is None:
        return full
    with torch.inference_mode():
        ids = tokenize(TRIAL_TEXTS)
        same = functional.cosine_similarity(full(ids), trimmed(ids)).min() >= SAME
    return trimmed if same else full


def _trimmed(model: Any) -> Encode | None:
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

    def encode(ids: torch.Tensor) -> torch.Tensor:
        ends = ids.argmax(dim=-1) if pooling == "argmax" else torch.eq(ids, end_token).int().argmax(dim=-1)
        length = int(ends.max()) + 1
        dtype = tower.transformer.get_cast_dtype()
        x = tower.token_embedding(ids[:, :length]).to(dtype)
        x = x + tower.positional_embedding[:length].to(dtype)
        x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
        pooled = x[torch.arange(len(x), device=x.device), ends]
        if tower.text_projection is not None:
            linear = isinstance(tower.text_projection, torch.nn.Linear)
            pooled = tower.text_projection(pooled) if linear else pooled @ tower.text_projection
        return cast(torch.Tensor, pooled)

    return encode


def _is_causal(mask: torch.Tensor | None) -> bool:
    if mask is None:
        return False
    above = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return bool(torch.isneginf(mask[above]).all() and (mask[~above] == 0).all())
