"""Vectors that behave like a model's: in heaps, of few inner dimensions, in one corner of the space, with noise.

Uniformly random vectors of 512 dimensions all lie equally far apart: they have no neighbours that an index could find.
What is drawn here: 5,000 heaps, some much larger than others, whose members differ from each other in 24 directions.
Heaps and members lie on a curved sheet (a random map, bent by tanh) beside which each vector has noise of its own, a
seventh of its length, and all share one mean, as the embeddings of CLIP do. The same seed draws the same vectors.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from thanopg.models.embedder import Vectors

HEAPS = 5_000
INNER = 24
"""dimensions in which members of a heap differ"""
WIDTH = 0.8
"""of a heap, where centres lie 1 apart in each inner dimension"""
NOISE = 0.2
MEAN = 1.0
"""both beside a place on the sheet, which has length 1"""
HIDDEN = 128


class Embeddings:
    """`Embeddings(512).vectors(0, 1000)`: the first thousand rows."""

    def __init__(self, dimensions: int, *, seed: int = 7) -> None:
        self.dimensions = dimensions
        self._seed = seed
        random = np.random.default_rng(seed)
        self._centres = random.standard_normal((HEAPS, INNER)).astype(np.float32)
        sizes = random.pareto(1.5, HEAPS) + 0.1
        self._sizes = np.cumsum(sizes / sizes.sum())
        self._bend = random.standard_normal((INNER, HIDDEN)).astype(np.float32) / math.sqrt(INNER)
        self._spread = random.standard_normal((HIDDEN, dimensions)).astype(np.float32) / math.sqrt(HIDDEN)
        mean = random.standard_normal(dimensions).astype(np.float32)
        self._mean = mean / np.linalg.norm(mean)

    def vectors(self, part: int, number: int) -> Vectors:
        """The rows of one part, float32 (number, dimensions), L2-normalised."""
        random = np.random.default_rng((self._seed, part))
        heaps = np.searchsorted(self._sizes, random.random(number)).clip(max=HEAPS - 1)
        inner = self._centres[heaps] + WIDTH * self._normal(random, (number, INNER))
        sheet = _unit(np.tanh(inner @ self._bend) @ self._spread)
        noise = NOISE / math.sqrt(self.dimensions) * self._normal(random, (number, self.dimensions))
        return _unit(sheet + MEAN * self._mean + noise)

    def _normal(self, random: np.random.Generator, shape: tuple[int, int]) -> NDArray[np.float32]:
        return random.standard_normal(shape, dtype=np.float32)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
