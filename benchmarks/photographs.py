"""Photographs that the project makes: JPEGs with detail at every scale, of the sizes that cameras and shops have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIZES = {"640 pixels": (640, 480), "1080p": (1920, 1080), "12 megapixels": (4000, 3000)}
QUALITY = 88
MARGIN = 8
"""pixels from one window to the next"""


def write_photographs(directory: Path, size: tuple[int, int], count: int) -> list[Path]:
    """`count` different files in `directory`: windows of one scene, each a little further, every other one mirrored."""
    directory.mkdir(parents=True)
    width, height = size
    scene = _noise(width + MARGIN * count, height + MARGIN * count)
    paths = []
    for number in range(count):
        left, top = MARGIN * number, MARGIN * (count - number)
        window = Image.fromarray(scene[top : top + height, left : left + width])
        picture = window.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else window
        path = directory / f"{number:05}.jpg"
        picture.save(path, "JPEG", quality=QUALITY)
        paths.append(path)
    return paths


def _noise(width: int, height: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """Noise whose strength falls with its frequency, as in photographs."""
    random = np.random.default_rng(0)
    picture = np.zeros((height, width, 3), dtype=np.float32)
    cells = 4
    while cells <= width:
        noise = random.integers(0, 256, (max(2, cells * height // width), cells, 3), dtype=np.uint8)
        scaled = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        picture += np.asarray(scaled, dtype=np.float32) / cells**0.4
        cells *= 2
    darkest, brightest = np.percentile(picture[::8, ::8], (2, 98))
    return np.clip((picture - darkest) * (255 / (brightest - darkest)), 0, 255).astype(np.uint8)
