"""Pictures on their way to where the model runs: as bytes, a quarter of what they become there."""

from __future__ import annotations

import torch

from thanopg.models.embedder import Pixels


def channels_last(device: torch.device) -> bool:
    """Whether a model's convolutions like the channels of a pixel side by side, as they come out of a decoder."""
    return device.type == "cuda"


def on_device(pixels: Pixels, device: torch.device, *, side_by_side: bool) -> torch.Tensor:
    """uint8 (n, height, width, 3) → float32 (n, 3, height, width) from 0 to 1 on `device`; `pixels` stay as they are.

    torchvision's ToTensor, operation by operation, so that the bits are the same; `side_by_side` is a matter of how
    the tensor lies in memory.
    """
    owned = torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy())
    if device.type == "cuda":  # a copy from pinned memory runs while the operations behind it are sent
        owned = owned.pin_memory()
    images = owned.to(device, non_blocking=device.type == "cuda").permute(0, 3, 1, 2)
    return (images if side_by_side else images.contiguous()).float().div_(255)
