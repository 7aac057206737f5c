"""Figures as a picture: a bar a ratio, and a mark where it should reach."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.measure import Figure

LINE_INCHES, WIDTH_INCHES = 0.32, 11
HELD, NOT_HELD, PLAIN = "#2f7d4f", "#b3392f", "#5b7aa3"


def plot(figures: Sequence[Figure], path: Path) -> None:
    """A PNG with a panel for each thing measured. Without matplotlib it says so and draws nothing."""
    try:
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        print("no plot: pip install matplotlib", file=sys.stderr)
        return
    blocks = [
        (title, block)
        for title, each in groupby(figures, key=lambda figure: figure.benchmark)
        if (block := [figure for figure in each if figure.ratio is not None])
    ]
    if not blocks:
        return
    heights = [len(block) + 2 for _, block in blocks]
    canvas = Canvas(figsize=(WIDTH_INCHES, LINE_INCHES * sum(heights) + 1), layout="constrained")
    panels = canvas.subplots(len(blocks), 1, gridspec_kw={"height_ratios": heights}, squeeze=False)
    for panel, (title, block) in zip(panels[:, 0], blocks, strict=True):
        ratios = [figure.ratio or 0.0 for figure in block]
        colours = [{None: PLAIN, True: HELD, False: NOT_HELD}[figure.held] for figure in block]
        bars = panel.barh([figure.what.strip() for figure in block], ratios, color=colours, height=0.6)
        panel.bar_label(bars, [f"{ratio:.2f}" for ratio in ratios], padding=4, fontsize=8)
        for row, figure in enumerate(block):
            for edge in (figure.bar.least, figure.bar.most) if figure.bar else ():
                if edge is not None:
                    panel.plot([edge, edge], [row - 0.42, row + 0.42], color="black", linewidth=1.5)
        panel.invert_yaxis()
        panel.set_xlim(0, max(ratios) * 1.12)
        panel.set_title(title, fontsize=9, loc="left")
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    canvas.savefig(path, dpi=110)
