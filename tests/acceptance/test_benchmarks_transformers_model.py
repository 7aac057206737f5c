"""open_clip's weights in the files of transformers: the same vectors from both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.peers.transformers_model import save_for_transformers
from tests.small_models import SMALL, Plain, save_model

TEXTS = ["a photo of a red dress", "빨간 원피스, 2 shoes!", "it's"]


@pytest.mark.parametrize("changes", [{}, {"quick_gelu": True}], ids=["gelu", "quick gelu"])
def test_vectors_are_the_same(tmp_path: Path, changes: dict[str, bool]) -> None:
    plain = Plain(save_model(tmp_path / "open_clip", {**SMALL, **changes}))
    directory = save_for_transformers(tmp_path / "open_clip", tmp_path / "transformers")
    files = [tmp_path / "1.png", tmp_path / "2.jpg"]
    for file, size in zip(files, ((90, 40), (33, 80)), strict=True):
        Image.effect_noise(size, 90).convert("RGB").save(file)
    images, texts = _transformers(directory, files)
    assert (images * plain.files(files)).sum(axis=1).min() > 0.9999
    assert (texts * plain.texts(TEXTS)).sum(axis=1).min() > 0.9999
    assert (texts[0] * texts[1]).sum() < 0.99


def _transformers(directory: Path, files: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    from transformers import AutoProcessor, CLIPModel

    model, loaded = CLIPModel.from_pretrained(directory, output_loading_info=True)
    assert not any(loaded.values()), loaded
    processor = AutoProcessor.from_pretrained(directory)
    with torch.no_grad():
        images = model.get_image_features(**processor(images=[Image.open(file) for file in files], return_tensors="pt"))
        texts = model.get_text_features(**processor(text=TEXTS, return_tensors="pt", padding=True))
    return _normalised(images.pooler_output), _normalised(texts.pooler_output)


def _normalised(features: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(features, dim=-1).numpy()
