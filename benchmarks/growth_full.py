"""The same as `growth`, up to ten million pending rows: a quarter of an hour, most of it to put them there."""

from __future__ import annotations

from benchmarks.growth import measure
from benchmarks.measure import Figure
from benchmarks.stack import Stack

SIZES, QUICK_SIZES = (10_000, 1_000_000, 10_000_000), (10_000, 3_000_000)


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    return measure(stack, QUICK_SIZES if quick else SIZES, rounds=2 if quick else 3)
