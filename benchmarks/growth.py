"""Whether a row costs the same however many wait: claim to commit, claim, finish, reconcile, and a look at the status.

Pictures are in memory and the model costs nothing; everything between is what users run. First as the queue is when it
has just been filled, and PostgreSQL has no statistics of it, then with statistics.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace

from benchmarks.growth_queue import GrowthQueue
from benchmarks.measure import Bar, Figure, figure_of, figures_of
from benchmarks.stack import Stack

SIZES, QUICK_SIZES = (10_000, 1_000_000), (10_000, 100_000)
ROWS = 6400
"""that workers work off before they are measured again"""
FLAT = Bar(most=1.2)
RATE = 3000
"""rows a second through one worker"""
LOOK_MILLISECONDS = 50
PARTS = (
    "claim to commit, one worker",
    "claim to commit, two workers",
    "claim and read",
    "finish",
    "reconcile",
    "deep reconcile",
)

Taken = dict[str, dict[int, list[float]]]
"""milliseconds for 1,000 rows by part and number of pending rows"""


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    return measure(stack, QUICK_SIZES if quick else SIZES, rounds=2 if quick else 3)


def measure(stack: Stack, sizes: Sequence[int], *, rounds: int) -> list[Figure]:
    """The first size is the baseline of the others."""
    with ExitStack() as exits:
        queues = [exits.enter_context(closing(GrowthQueue(stack, size))) for size in sizes]
        figures = _figures("just filled, no statistics", *_measure(queues, rounds))
        for queue in queues:
            queue.analyze()
        return figures + _figures("after VACUUM ANALYZE", *_measure(queues, rounds))


def _measure(queues: Sequence[GrowthQueue], rounds: int) -> tuple[Taken, dict[int, list[float]]]:
    taken: Taken = {part: {queue.size: [] for queue in queues} for part in PARTS}
    looks: dict[int, list[float]] = {queue.size: [] for queue in queues}
    for _ in range(rounds):
        for queue in queues:
            found = (
                queue.work(ROWS, workers=1),
                queue.work(ROWS, workers=2),
                *queue.claim_and_finish(),
                queue.reconcile(deep=False),
                queue.reconcile(deep=True),
            )
            for part, milliseconds in zip(PARTS, found, strict=True):
                taken[part][queue.size].append(milliseconds)
            looks[queue.size] += queue.look()
    return taken, looks


def _figures(when: str, taken: Taken, looks: dict[int, list[float]]) -> list[Figure]:
    figures: list[Figure] = []
    for part in PARTS:
        by_size = {f"{part}, {size:,} pending": times for size, times in taken[part].items()}
        bars = dict.fromkeys(list(by_size)[1:], FLAT)
        figures += figures_of(f"growth, {when}: milliseconds for 1,000 rows", by_size, bars=bars)
    title = f"growth, {when}: rows a second, against {RATE:,}, and of two workers against one"
    for size, one in taken[PARTS[0]].items():
        alone, both = (1e6 / statistics.median(times) for times in (one, taken[PARTS[1]][size]))
        figures += [
            _rate(title, f"one worker, {size:,} pending", alone, alone / RATE),
            _rate(title, f"two workers, {size:,} pending", both, both / alone),
        ]
    title = f"growth, {when}: embedding_status, against {LOOK_MILLISECONDS} ms"
    for size, times in looks.items():
        look = figure_of(title, f"{size:,} pending", times)
        figures.append(replace(look, ratio=look.median / LOOK_MILLISECONDS, bar=Bar(most=1)))
    return figures


def _rate(title: str, what: str, rate: float, ratio: float) -> Figure:
    return Figure(benchmark=title, what=what, median=rate, unit="rows/s", ratio=ratio, bar=Bar(least=1))
