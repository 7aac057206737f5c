"""The report shows what it is given, escaped, with a plot to scale, and needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

from thanopg.gallery.report import BOTTOM, HEIGHT, TOP, Line, Shown, Worst, plot, render_report


def line(method: str, language: str, ndcg: float, model: str = "catalog") -> Line:
    return Line(
        model=model, method=method, language=language, queries=7, ndcg=ndcg, low=ndcg - 0.1, high=ndcg + 0.05,
        recall=0.5, mrr=0.25, median_ms=12.3, p95_ms=45.6,
    )  # fmt: skip


LINES = [
    line(method, language, 0.6 + 0.1 * (method == "hybrid"))
    for language in ("ko", "")
    for method in ("image", "hybrid")
]


def page(query: str = "방수 부츠") -> str:
    worst = Worst(
        query=query, language="ko", ndcg=0.1, relevant=3,
        found=[
            Shown(name="1.jpg", picture="data:image/jpeg;base64,AA", right=True),
            Shown(name="2.jpg", picture="", right=False),
        ],
        missed=[Shown(name="3.jpg", picture="", right=False)],
    )  # fmt: skip
    return render_report(
        title="t", introduction="i", k=20, lines=LINES, remarks=["hybrid <is> better"], method="hybrid", worst=[worst],
        footer="f",
    )  # fmt: skip


def test_what_is_shown() -> None:
    html = page()
    assert "방수 부츠" in html and "Recall@20" in html and "0.700" in html and "0.600 – 0.750" in html
    assert html.count("<rect ") == 4 and html.count("<figure") == 3
    assert html.count('class="right"') == 1 and html.count('class="wrong"') == 1
    assert "hybrid &lt;is&gt; better" in html
    HTMLParser().feed(html)


def test_nothing_from_outside_and_all_escaped() -> None:
    html = page('"><script>alert(1)</script>')
    assert "<script" not in html and not re.search(r'(src|href)="(?!data:|#)|url\(|@import', html)
    assert "default-src 'none'" in html


def test_the_plot_is_to_scale() -> None:
    drawn = plot(LINES)
    full = HEIGHT - TOP - BOTTOM
    assert [bar.height for bar in drawn.bars] == [round(full * value, 1) for value in (0.6, 0.7, 0.6, 0.7)]
    assert all(bar.y + bar.height == HEIGHT - BOTTOM and bar.high < bar.y < bar.low for bar in drawn.bars)
    assert [label for _, label in drawn.groups] == ["ko", "all"] and [label for _, label in drawn.legend] == [
        "image",
        "hybrid",
    ]
    ends = [(bar.x, bar.x + bar.width) for bar in drawn.bars]
    assert all(end <= start for (_, end), (start, _) in pairwise(ends)), "bars do not overlap"
    several = plot([line("image", "ko", 0.5), line("image", "ko", 0.6, model="siglip2")])
    assert [label for _, label in several.legend] == ["catalog · image", "siglip2 · image"]
    assert plot([]).bars == []
