"""Whether large JPEGs may be scaled by their decoder for a model: only if its vectors stay the same.

That is tried once in a process, when the first large picture comes.
"""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from PIL import Image

from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.images.noise import photograph
from thanopg.models.embedder import Preprocessing
from thanopg.models.library import LoadedModel

SAME = 0.999
"""smallest cosine between the vectors of a picture decoded in full and as a draft"""
SIZES = ((1200, 900), (1000, 1600))
QUALITY = 90
LARGE = 64 * 1024
"""bytes of a file below which no draft is worth a trial"""


_tried: WeakKeyDictionary[LoadedModel, Preprocessing] = WeakKeyDictionary()
_lock = threading.Lock()


class Drafts:
    """How a model's pictures are decoded, by the size of their files. Thread-safe."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model

    def choose(self, size: int) -> Preprocessing:
        """For a file of `size` bytes."""
        if size < LARGE:
            return self._model.preprocessing
        with _lock:
            if self._model not in _tried:
                _tried[self._model] = with_drafts(self._model)
            return _tried[self._model]


def with_drafts(model: LoadedModel) -> Preprocessing:
    """The model's preprocessing, drafts allowed if pictures with detail at every scale come out the same."""
    exact = model.preprocessing
    quick = replace(exact, draft=True)
    limits = ImageLimits()
    pictures = [_photograph(*size, seed=number) for number, size in enumerate(SIZES)]
    wanted, found = (
        model.embed_images(np.stack([decode(picture, way, limits) for picture in pictures])) for way in (exact, quick)
    )
    same = bool((wanted * found).sum(axis=1).min() >= SAME)  # of length 1, and NaN is not the same
    return quick if same else exact


def _photograph(width: int, height: int, *, seed: int) -> bytes:
    """A JPEG as of a camera, with a sharp grating in it."""
    picture = (photograph(width, height, seed=seed, falloff=0.8) * 0.78).astype(np.uint8)
    picture[:, width // 3 : width // 2] += (55 * (np.arange(height) // 3 % 2)).astype(np.uint8)[:, None, None]
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
