"""Figures as text, one block for each thing measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from benchmarks.measure import Figure

WIDTH = 60


def table(figures: Sequence[Figure]) -> str:
    """What was asked of a ratio stands behind it, with `held` or `NOT HELD`."""
    return "".join(_block(title, list(block)) for title, block in groupby(figures, key=lambda figure: figure.benchmark))


def _block(title: str, figures: list[Figure]) -> str:
    head = f"\n{title}\n{'':{WIDTH}} {'median':>12} {'spread':>10} {'':8} {'ratio':>8}\n"
    return head + "".join(_line(figure) for figure in figures)


def _line(figure: Figure) -> str:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}"
    verdict = {None: "", True: f"  {figure.bar} held", False: f"  {figure.bar} NOT HELD"}[figure.held]
    line = f"{figure.what:{WIDTH}} {figure.median:12,.3f} {figure.spread:10,.3f} {figure.unit:8} {ratio:>8}{verdict}"
    return line.rstrip() + "\n"
