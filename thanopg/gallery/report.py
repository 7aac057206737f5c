"""One self-contained HTML page of how well searches did: a table, a plot, and the queries that went worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

WIDTH, HEIGHT = 860, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 14, 46
GAP = 0.28
"""of a group's width, between groups"""
COLOURS = ("#b4472e", "#2f6f8f", "#8a6d1f", "#4b7a3a", "#7a4b8f", "#5a5a5a")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A method's figures in one language."""

    model: str
    method: str
    language: str
    queries: int
    ndcg: float
    low: float
    high: float
    recall: float
    mrr: float
    median_ms: float
    p95_ms: float


@dataclass(frozen=True, kw_only=True)
class Shown:
    name: str
    picture: str
    """data: URI; empty where there is no picture"""
    right: bool


@dataclass(frozen=True, kw_only=True)
class Worst:
    query: str
    language: str
    ndcg: float
    relevant: int
    found: Sequence[Shown]
    missed: Sequence[Shown]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """In the plot's own units."""

    x: float
    y: float
    width: float
    height: float
    low: float
    high: float
    colour: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    bars: Sequence[Bar]
    groups: Sequence[tuple[float, str]]
    ticks: Sequence[tuple[float, str]]
    legend: Sequence[tuple[str, str]]


def render_report(
    *, title: str, introduction: str, k: int, lines: Sequence[Line], remarks: Sequence[str], method: str,
    worst: Sequence[Worst], footer: str,
) -> str:  # fmt: skip
    """HTML5, UTF-8, without a script and without a reference to anything outside. `method`: whose worst they are."""
    environment = Environment(
        loader=PackageLoader("thanopg.gallery"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        title=title, introduction=introduction, k=k, lines=lines, remarks=remarks, plot=plot(lines), method=method,
        worst=worst, footer=footer, width=WIDTH, height=HEIGHT, left=LEFT, right=RIGHT,
    )  # fmt: skip


def plot(lines: Sequence[Line]) -> Plot:
    """nDCG@10 as bars with their intervals, one group for each language."""
    languages = list(dict.fromkeys(line.language for line in lines))
    series = list(dict.fromkeys((line.model, line.method) for line in lines))
    several = len({model for model, _ in series}) > 1
    colours = {one: COLOURS[place % len(COLOURS)] for place, one in enumerate(series)}
    group = (WIDTH - LEFT - RIGHT) / max(len(languages), 1)
    width = group * (1 - GAP) / max(len(series), 1)
    bars = []
    for line in lines:
        start = LEFT + languages.index(line.language) * group + group * GAP / 2
        x = start + series.index((line.model, line.method)) * width
        interval = f"{line.low:.3f} to {line.high:.3f}"
        title = f"{line.model} · {line.method} · {line.language or 'all'}: {line.ndcg:.3f} ({interval})"
        bars.append(
            Bar(
                x=round(x, 1), y=_y(line.ndcg), width=round(width * 0.9, 1), height=round(_y(0) - _y(line.ndcg), 1),
                low=_y(line.low), high=_y(line.high), colour=colours[line.model, line.method], title=title,
            )
        )  # fmt: skip
    return Plot(
        bars=bars,
        groups=[(round(LEFT + (i + 0.5) * group, 1), language or "all") for i, language in enumerate(languages)],
        ticks=[(_y(tick / 5), f"{tick / 5:.1f}") for tick in range(6)],
        legend=[(colour, f"{model} · {method}" if several else method) for (model, method), colour in colours.items()],
    )


def _y(value: float) -> float:
    return round(HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM), 1)
