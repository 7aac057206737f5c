"""What a frozen image tower sees in the training pictures: computed once, kept on disk as float16."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from thanopg.catalog.training.data import Pixels
from thanopg.models.caption_decoder import FeatureMap
from thanopg.models.captioner import feature_maps

Features = NDArray[np.float16]
"""(n, places of all maps × their channels), the maps one after the other"""
Scale = Callable[[Pixels], torch.Tensor]
_BATCH = 128


def last_maps(visual: Any, images: torch.Tensor) -> tuple[FeatureMap, ...]:
    """The tower's last intermediate map and, where it has more places, the one before: form, and finer form."""
    with torch.inference_mode():
        found = visual.forward_intermediates(images, intermediates_only=True)["image_intermediates"]
    maps = [
        FeatureMap(index=index, channels=each.shape[1], places=each.shape[2] * each.shape[3])
        for index, each in enumerate(found)
    ]
    return tuple(maps[-2:]) if len(maps) > 1 and maps[-2].places > maps[-1].places else (maps[-1],)


def seen_features(
    visual: Any,
    pixels: Pixels,
    maps: Sequence[FeatureMap],
    scale: Scale,
    *,
    file: Path | None = None,
    change: Callable[[Pixels], Pixels] | None = None,
) -> Features:
    """For every picture, after `change`, all maps in one row; read from `file` if it is there, else written to it."""
    if file is not None and file.exists():
        kept: Features = np.load(file, mmap_mode="r")
        return kept
    rows = np.empty((len(pixels), sum(each.places * each.channels for each in maps)), dtype=np.float16)
    with torch.inference_mode():
        for start in range(0, len(pixels), _BATCH):
            shown = pixels[start : start + _BATCH]
            found = feature_maps(visual, scale(change(shown) if change else shown), maps)
            rows[start : start + _BATCH] = torch.cat([each.flatten(1) for each in found], dim=1).cpu().numpy()
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".half.npy")
        np.save(half, rows)
        half.replace(file)
    return rows


def as_maps(rows: Features, maps: Sequence[FeatureMap], device: torch.device) -> list[torch.Tensor]:
    """Rows of `seen_features` → float32 (n, places, channels) for each map."""
    values = torch.from_numpy(np.array(rows)).to(device).float()
    parts = torch.split(values, [each.places * each.channels for each in maps], dim=1)
    return [part.view(-1, each.places, each.channels) for part, each in zip(parts, maps, strict=True)]
