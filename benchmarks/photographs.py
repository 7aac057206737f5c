"""Photographs of our own making: JPEGs with detail at every scale, of the sizes that cameras and shops have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZES = {"640 pixels": (640, 480), "1080p": (1920, 1080), "12 megapixels": (4000, 3000)}
QUALITY = 88
SEEDS = 8
"""pictures that are drawn; the others are parts of them, turned and shifted, which no decoder can tell"""


def write_photographs(directory: Path, size: tuple[int, int], count: int) -> list[Path]:
    """`count` different files in `directory`."""
    directory.mkdir(parents=True)
    pictures = [_noise(*size, seed=seed) for seed in range(min(SEEDS, count))]
    paths = []
    for number in range(count):
        picture = np.roll(pictures[number % len(pictures)], shift=(17 * number, 29 * number), axis=(0, 1))
        path = directory / f"{number:05}.jpg"
        Image.fromarray(picture).save(path, "JPEG", quality=QUALITY)
        paths.append(path)
    return paths


def _noise(width: int, height: int, *, seed: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """Noise whose strength falls with its frequency, as in photographs."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), dtype=np.float32)
    cells = 4
    while cells < width // 2:
        noise = random.integers(0, 256, (max(2, cells * height // width), cells, 3), dtype=np.uint8)
        scaled = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        picture += np.asarray(scaled, dtype=np.float32) / cells**0.7
        cells *= 2
    picture *= 255 / picture.max()
    return picture.astype(np.uint8)
