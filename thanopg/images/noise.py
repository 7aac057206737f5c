"""Pictures made of numbers that decode and resize as photographs do: detail at every scale, less of it the finer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COARSEST = 4
"""cells across"""


def photograph(width: int, height: int, *, seed: int = 0, falloff: float = 0.4) -> NDArray[np.uint8]:
    """uint8 (height, width, 3). `falloff`: the power of its frequency by which noise gets weaker.

    With 0.4 a JPEG of quality 88 has the bytes a pixel that photographs have, about a fifth.
    """
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), dtype=np.float32)
    cells = COARSEST
    while cells <= width:
        noise = random.integers(0, 256, (max(2, cells * height // width), cells, 3), dtype=np.uint8)
        scaled = Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
        picture += np.asarray(scaled, dtype=np.float32) / cells**falloff
        cells *= 2
    darkest, brightest = np.percentile(picture[::8, ::8], (2, 98))
    stretched: NDArray[np.float32] = (picture - darkest) * np.float32(255 / (brightest - darkest))
    return np.clip(stretched, 0, 255).astype(np.uint8)
