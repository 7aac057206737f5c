"""A contrastive loss that knows that a text can be true of several pictures, and a picture have several texts."""

from __future__ import annotations

import torch
from torch.nn import functional


def contrast(images: torch.Tensor, texts: torch.Tensor, truth: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Normalised (pictures, d) and (texts, d), bool (texts, pictures) → scalar.

    Cross entropy to the uniform distribution over what is true, both ways: CLIP's loss (arXiv:2103.00020) where
    each text is true of one picture, the supervised contrastive one (arXiv:2004.11362, eq. 2) otherwise.
    """
    logits = scale * texts @ images.T
    target = truth.float()
    by_text = _cross_entropy(logits, target)
    by_picture = _cross_entropy(logits.T, target.T)
    return 0.65 * by_text + 0.35 * by_picture


def _cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    share = target / target.sum(dim=-1, keepdim=True).clamp(min=1)
    return -(share * functional.log_softmax(logits, dim=-1)).sum(dim=-1).mean()
