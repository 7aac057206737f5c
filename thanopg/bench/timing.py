"""Medians of what is done again and again, for a time that is bounded."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

FEWEST = 3
"""times that something is done, unless one of them alone takes longer than all together may"""

Item = TypeVar("Item")


class Taken(NamedTuple):
    """Medians, in seconds."""

    wall: float
    cpu: float
    """of all threads of this process"""
    times: int


def timed(work: Callable[[], object], *, seconds: float) -> Taken:
    """Once to warm up, unless that has taken the whole time; then for about so many seconds."""
    walls, cpus = list[float](), list[float]()
    begun = time.perf_counter()
    warm = False
    while True:
        start, start_cpu = time.perf_counter(), time.process_time()
        work()
        wall, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        if warm or wall >= seconds:
            walls.append(wall)
            cpus.append(cpu)
        warm = True
        over = time.perf_counter() - begun
        if walls and over >= seconds and (len(walls) >= FEWEST or over + wall > 2 * seconds):
            return Taken(statistics.median(walls), statistics.median(cpus), len(walls))


def cpu_each(work: Callable[[Item], object], items: Sequence[Item], *, seconds: float) -> float:
    """Mean over the items of the median CPU seconds that each took, of this thread; as often as the time allows."""
    taken: list[list[float]] = [[] for _ in items]
    begun = time.perf_counter()
    while True:
        for number, item in enumerate(items):
            start = time.thread_time()
            work(item)
            taken[number].append(time.thread_time() - start)
        if time.perf_counter() - begun >= seconds:
            return statistics.mean(statistics.median(each) for each in taken)
