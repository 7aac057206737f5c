"""Interleaved timing: machines are noisy, so what is compared runs in turn, and medians are compared."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a ratio is held against: at least, or at most, so much."""

    least: float | None = None
    most: float | None = None

    def holds(self, ratio: float) -> bool:
        return (self.least is None or ratio >= self.least) and (self.most is None or ratio <= self.most)

    def __str__(self) -> str:
        parts = [
            f"≥ {self.least:g}" if self.least is not None else "",
            f"≤ {self.most:g}" if self.most is not None else "",
        ]
        return " ".join(part for part in parts if part)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. `ratio`: this median over the baseline's, where the section does not say otherwise."""

    benchmark: str
    what: str
    median: float
    spread: float = 0.0
    """between the quartiles"""
    unit: str = "ms"
    ratio: float | None = None
    bar: Bar | None = None
    """for the ratio"""

    @property
    def held(self) -> bool | None:
        """None where nothing was asked for."""
        return None if self.bar is None or self.ratio is None else self.bar.holds(self.ratio)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "bar": str(self.bar) if self.bar else None, "held": self.held}


class LeftOut(Exception):
    """Raised by a call that can't be measured any more: it has no figure, and what is compared with it goes on."""


def interleave(
    benchmark: str, calls: Mapping[str, Callable[[], object]], *, rounds: int, bars: Mapping[str, Bar] | None = None
) -> list[Figure]:
    """Run every call once per round, in order; the first one named is the baseline. One round is warm-up."""
    return figures_of(benchmark, timed(calls, rounds=rounds), bars=bars)


def timed(calls: Mapping[str, Callable[[], object]], *, rounds: int, warm: bool = False) -> dict[str, list[float]]:
    """Milliseconds of each round of each call, taken in turn. One round more is warm-up, unless they are `warm`."""
    times: dict[str, list[float]] = {what: [] for what in calls}
    for turn in range(rounds + (not warm)):
        for what in list(times):
            start = time.perf_counter()
            try:
                calls[what]()
            except LeftOut as reason:
                print(f"{what}: left out: {reason}", file=sys.stderr)
                del times[what]
                continue
            if turn or warm:
                times[what].append((time.perf_counter() - start) * 1000)
    return times


def figures_of(
    benchmark: str, times: Mapping[str, Sequence[float]], *, unit: str = "ms", bars: Mapping[str, Bar] | None = None
) -> list[Figure]:
    """Of values that were taken otherwise; the first one named is the baseline."""
    figures = [figure_of(benchmark, what, taken, unit=unit) for what, taken in times.items()]
    return [
        replace(figure, ratio=figure.median / figures[0].median, bar=(bars or {}).get(figure.what))
        for figure in figures
    ]


def figure_of(benchmark: str, what: str, taken: Sequence[float], *, unit: str = "ms") -> Figure:
    """Median and spread, compared with nothing."""
    return Figure(benchmark=benchmark, what=what, median=statistics.median(taken), spread=_quartiles(taken), unit=unit)


def _quartiles(taken: Sequence[float]) -> float:
    if len(taken) < 2:
        return 0.0
    first, _, third = statistics.quantiles(taken, n=4)
    return third - first
