"""What people write around open_clip without a worker: the loop of its README, and the same behind a DataLoader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from thanopg.models.embedder import Vectors
from thanopg.models.torchvision_shim import import_torchvision

import_torchvision()
import open_clip  # noqa: E402  (the line above makes it importable)

PROCESSES = 2


def save_random(architecture: str, directory: Path) -> str:
    """A model with random weights in open_clip's local-dir format; its source."""
    directory.mkdir(parents=True)
    torch.manual_seed(0)
    model = open_clip.create_model(architecture, pretrained=None)
    configuration = {
        "model_cfg": open_clip.get_model_config(architecture),
        "preprocess_cfg": model.visual.preprocess_cfg,
    }
    (directory / "open_clip_config.json").write_text(json.dumps(configuration))
    save_file(model.state_dict(), directory / "open_clip_model.safetensors")
    return f"local-dir:{directory}"


class PlainOpenClip:
    """float32, as open_clip's README has it."""

    def __init__(self, source: str) -> None:
        self.model, _, self.preprocess = open_clip.create_model_and_transforms(source, weights_only=True)
        self.tokenize = open_clip.get_tokenizer(source)
        self.model.eval()

    def loop(self, paths: Sequence[Path], batch: int) -> Vectors:
        """float32 (n, dimensions), L2-normalised."""
        with torch.no_grad():
            parts = [
                self._vectors(torch.stack([self.preprocess(Image.open(path)) for path in paths[start : start + batch]]))
                for start in range(0, len(paths), batch)
            ]
        return np.concatenate(parts)

    def loader(self, paths: Sequence[Path], batch: int) -> Vectors:
        """The same with pictures read and decoded in processes of their own."""
        pictures = torch.utils.data.DataLoader(_Pictures(paths, self.preprocess), batch, num_workers=PROCESSES)
        with torch.no_grad():
            return np.concatenate([self._vectors(part) for part in pictures])

    def texts(self, texts: Sequence[str]) -> Vectors:
        with torch.no_grad():
            return _normalised(self.model.encode_text(self.tokenize(list(texts))))

    def _vectors(self, images: torch.Tensor) -> Vectors:
        return _normalised(self.model.encode_image(images))


def _normalised(features: torch.Tensor) -> Vectors:
    return (features / features.norm(dim=-1, keepdim=True)).numpy()


class _Pictures(torch.utils.data.Dataset[Any]):
    def __init__(self, paths: Sequence[Path], preprocess: Any) -> None:
        self._paths = paths
        self._preprocess = preprocess

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Any:
        return self._preprocess(Image.open(self._paths[index]))
