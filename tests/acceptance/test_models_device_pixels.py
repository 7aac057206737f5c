"""What a GPU is given, looked at on the CPU: the same bits, lying otherwise. And on a GPU where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.small_models import SMALL, save_model
from thanopg.models.checkpoint import open_checkpoint
from thanopg.models.device import available, lower_types
from thanopg.models.device_pixels import channels_last, on_device
from thanopg.models.open_clip import load_open_clip

CPU = torch.device("cpu")


def noise(count: int = 5, side: int = 32) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("writeable", [True, False])
def test_the_same_bits_however_they_lie(writeable: bool) -> None:
    pixels = noise()
    before = pixels.copy()
    pixels.flags.writeable = writeable
    apart, beside = (on_device(pixels, CPU, side_by_side=way) for way in (False, True))
    assert torch.equal(apart, beside) and apart.shape == (5, 3, 32, 32)
    assert apart.is_contiguous() and beside.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(apart, torch.from_numpy(before).permute(0, 3, 1, 2).float() / 255)
    assert (pixels == before).all()


def test_a_tower_with_channels_side_by_side_has_the_same_vectors(tmp_path: Path) -> None:
    model = open_checkpoint(save_model(tmp_path / "model", SMALL)).model
    with torch.inference_mode():
        wanted = model.encode_image(on_device(noise(), CPU, side_by_side=False))
        model.to(CPU, memory_format=torch.channels_last)
        found = model.encode_image(on_device(noise(), CPU, side_by_side=True))
    assert functional.cosine_similarity(found, wanted).min() >= 0.9999


def test_float16_is_tried_on_gpus_only() -> None:
    assert not channels_last(CPU)
    assert torch.float16 not in lower_types(CPU)
    assert lower_types(torch.device("mps")) == ()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="NO GPU: CUDA IS NOT TESTED ON THIS MACHINE")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
@pytest.mark.parametrize("device", [name for name in available() if name.startswith("cuda")] or ["cuda:0"])
def test_a_gpu_has_the_vectors_of_the_cpu(tmp_path: Path, device: str, precision: str) -> None:
    source = save_model(tmp_path / "model", "ViT-B-32" if precision == "auto" else SMALL)
    here, there = (
        load_open_clip(source, device="cpu", precision="fp32"),
        load_open_clip(source, device=device, precision=precision),
    )
    assert there.device == device
    least = 0.999 if precision == "bf16" else 0.9999
    pixels = noise(70, here.preprocessing.height)
    for count in (70, 1):
        same = (here.embed_images(pixels[:count]) * there.embed_images(pixels[:count])).sum(axis=1).min()
        assert same >= least
    texts = ["밝은 빨간색 미니 원피스", "a red dress"]
    assert (here.embed_texts(texts).vectors * there.embed_texts(texts).vectors).sum(axis=1).min() >= least
