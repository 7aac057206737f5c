"""Interleaved timing: machines are noisy, so what is compared runs in turn, and medians are compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `ratio`: this median over the baseline's; below 1 is faster than it."""

    benchmark: str
    what: str
    median_ms: float
    spread_ms: float
    """between the quartiles"""
    ratio: float

    @property
    def difference_ms(self) -> float:
        """What it takes longer than the baseline."""
        return self.median_ms - self.median_ms / self.ratio

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "difference_ms": self.difference_ms}


def interleave(benchmark: str, calls: Mapping[str, Callable[[], object]], *, rounds: int) -> list[Figure]:
    """Run every call once per round, in order; the first one named is the baseline. One round is warm-up."""
    times: dict[str, list[float]] = {what: [] for what in calls}
    for turn in range(rounds + 1):
        for what, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                times[what].append((time.perf_counter() - start) * 1000)
    return figures_of(benchmark, times)


def figures_of(benchmark: str, times: Mapping[str, Sequence[float]]) -> list[Figure]:
    """Of milliseconds that were taken otherwise; the first one named is the baseline."""
    medians = {what: statistics.median(taken) for what, taken in times.items()}
    baseline = next(iter(medians.values()))
    return [
        Figure(
            benchmark=benchmark,
            what=what,
            median_ms=medians[what],
            spread_ms=_quartiles(taken),
            ratio=medians[what] / baseline,
        )
        for what, taken in times.items()
    ]


def _quartiles(taken: Sequence[float]) -> float:
    if len(taken) < 2:
        return 0.0
    first, _, third = statistics.quantiles(taken, n=4)
    return third - first
