"""Measures of a ranked list, and how far a mean of them can be trusted. Pure functions on plain values."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from random import Random
from typing import NamedTuple

RESAMPLES = 2000
CONFIDENCE = 0.95


class Interval(NamedTuple):
    low: float
    high: float


def recall(found: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Of the relevant, the share among the first `k`; of at most `k`, so that 1 can be reached."""
    hits = sum(key in relevant for key in found[:k])
    return hits / min(k, len(relevant)) if relevant else 0.0


def reciprocal_rank(found: Sequence[str], relevant: Collection[str]) -> float:
    """One over the place of the first relevant one; 0 where there is none."""
    return next((1 / place for place, key in enumerate(found, 1) if key in relevant), 0.0)


def ndcg(found: Sequence[str], relevant: Collection[str], k: int = 10) -> float:
    """Normalised discounted cumulative gain at `k` with gains of 0 and 1 (Järvelin and Kekäläinen, 2002)."""
    gain = sum(_discount(place) for place, key in enumerate(found[:k], 1) if key in relevant)
    best = sum(_discount(place) for place in range(1, min(k, len(relevant)) + 1))
    return gain / best if best else 0.0


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def bootstrap(values: Sequence[float], *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Where the mean of other queries of this kind would lie: percentile bootstrap, the same for the same seed."""
    if not values:
        return Interval(0.0, 0.0)
    random = Random(seed)  # noqa: S311 - statistics, not secrets
    means = [mean(random.choices(values, k=len(values))) for _ in range(resamples)]
    tail = (1 - CONFIDENCE) / 2
    return Interval(percentile(means, tail), percentile(means, 1 - tail))


def difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 0) -> tuple[float, Interval]:
    """Mean gain over the same queries, with the interval of its paired bootstrap."""
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    return mean(gains), bootstrap(gains, seed=seed)


def _discount(place: int) -> float:
    return 1 / math.log2(place + 1)
