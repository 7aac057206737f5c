"""Memory that a burst leaves behind goes back to the system once nothing is in hand.

glibc keeps what large batches have freed, in pieces between what is still in use, and the next burst finds no room in
them: a worker grew by 20 to 100 MB with each delivery of some hundred rows.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable

EVERY_SECONDS = 30.0
"""at most so often: it takes some 20 ms, after a long burst ten times as long"""

Trim = Callable[[int], object]


def find_trim() -> Trim | None:
    """glibc's malloc_trim; None elsewhere."""
    if sys.platform != "linux":
        return None
    trim: Trim | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


class Leftovers:
    """Used from one thread."""

    def __init__(self, trim: Trim | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._trim = trim
        self._clock = clock
        self._there = False
        self._not_before = float("-inf")

    def add(self) -> None:
        """Something was claimed."""
        self._there = True

    def give_back(self) -> None:
        """Nothing is in hand now."""
        if self._trim is None or not self._there or self._clock() < self._not_before:
            return
        self._trim(0)
        self._there = False
        self._not_before = self._clock() + EVERY_SECONDS
