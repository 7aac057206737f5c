"""What a burst leaves behind is given back once, when nothing is in hand, and not all the time."""

from __future__ import annotations

import sys

import numpy as np
import psutil
import pytest

from thanopg.worker.memory import EVERY_SECONDS, Leftovers, find_trim

MEBIBYTE = 1024**2
PIECES = 4000
PIECE = 64 * 1024


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_given_back_once_after_work() -> None:
    trims: list[int] = []
    clock = Clock()
    leftovers = Leftovers(trims.append, clock=clock)
    leftovers.give_back()
    assert trims == []
    leftovers.add()
    leftovers.give_back()
    leftovers.give_back()
    assert trims == [0]


def test_not_all_the_time() -> None:
    trims: list[int] = []
    clock = Clock()
    leftovers = Leftovers(trims.append, clock=clock)
    for _ in range(2):
        leftovers.add()
        leftovers.give_back()
    assert trims == [0]
    clock.now += EVERY_SECONDS
    leftovers.give_back()
    assert trims == [0, 0]


def test_elsewhere_than_with_glibc_nothing_is_done() -> None:
    leftovers = Leftovers(None)
    leftovers.add()
    leftovers.give_back()


@pytest.mark.skipif(find_trim() is None, reason="glibc alone has malloc_trim")
def test_memory_between_what_is_in_use_goes_back() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    pieces = [np.ones(PIECE, dtype=np.uint8) for _ in range(PIECES)]
    kept = [*pieces[::40], pieces[-1]]
    del pieces
    held = process.memory_info().rss - before
    leftovers = Leftovers(find_trim())
    leftovers.add()
    leftovers.give_back()
    assert process.memory_info().rss - before < 0.3 * PIECES * PIECE < held
    assert len(kept) > 1 and sys.platform == "linux"
