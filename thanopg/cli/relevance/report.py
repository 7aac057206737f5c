"""The HTML page of an evaluation: figures, plot, and the worst queries with their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from thanopg.cli.relevance.source import Source, open_source
from thanopg.gallery.report import Line, Shown, Worst, render_report
from thanopg.gallery.thumbnail import thumbnail
from thanopg.relevance.judgements import Judgement, key_text
from thanopg.relevance.measure import Figures, ndcgs

if TYPE_CHECKING:
    from thanopg.cli.relevance.evaluation import Answers, Wanted

FOUND, MISSED = 10, 6
SIDE = 128
INTRODUCTION = (
    "{queries} queries whose relevant rows are known, each asked of table {target}.\n"
    "nDCG@10 is 1 where the first ten rows are the best there are; the whiskers show where its mean would lie with "
    "other queries of the same kind."
)
PATHS = """
    SELECT source_name, source_is_bytes FROM thanopg.embedding_column WHERE target = %s::regclass AND kind = 'image'
"""


def write_report(
    page: Path, source: Source, judgements: Sequence[Judgement], answers: Sequence[Answers], lines: Sequence[Figures],
    remarks: Sequence[str], wanted: Wanted,
) -> None:  # fmt: skip
    """Raises OSError."""
    judged = max(answers, key=lambda answer: answer.method == "hybrid") if answers else None
    worst = worst_of(source, judgements, judged, wanted.worst) if judged else []
    html = render_report(
        title="How well searches find",
        introduction=INTRODUCTION.format(queries=len(judgements), target=judged.target if judged else ""),
        k=wanted.k,
        lines=[
            Line(
                model=f.model, method=f.method, language=f.language, queries=f.queries, ndcg=f.ndcg, low=f.interval.low,
                high=f.interval.high, recall=f.recall, mrr=f.mrr, median_ms=f.median_ms, p95_ms=f.p95_ms,
            )
            for f in lines
        ],
        remarks=remarks,
        method=judged.method if judged else "",
        worst=worst,
        footer="Written by thanopg evaluate.",
    )  # fmt: skip
    page.write_text(html, encoding="utf-8")


def worst_of(source: Source, judgements: Sequence[Judgement], answers: Answers, number: int) -> list[Worst]:
    gains = ndcgs(judgements, answers.outcomes)
    places = sorted(range(len(judgements)), key=lambda place: gains[place])[:number]
    paths = paths_of(source, answers) if places else {}

    def shown(key: str, right: bool) -> Shown:
        return Shown(name=paths.get(key) or key, picture=picture(source.image_root, paths.get(key)), right=right)

    worst = []
    for place in places:
        judgement, found = judgements[place], answers.outcomes[place].found[:FOUND]
        missed = sorted(judgement.relevant - set(found))[:MISSED]
        worst.append(
            Worst(
                query=judgement.query,
                language=judgement.language,
                ndcg=gains[place],
                relevant=len(judgement.relevant),
                found=[shown(key, key in judgement.relevant) for key in found],
                missed=[shown(key, False) for key in missed],
            )
        )
    return worst


def paths_of(source: Source, answers: Answers) -> Mapping[str, str]:
    """Key → path of the picture, for all rows; empty where pictures are bytes."""
    from psycopg import sql

    with open_source(source, "evaluate") as connection:
        row = connection.execute(PATHS, [answers.target]).fetchone()
        if row is None or row[1]:
            return {}
        keys = sql.SQL(", ").join(map(sql.Identifier, answers.key_names))
        statement = sql.SQL("SELECT {}, {}::text FROM {}").format(keys, sql.Identifier(row[0]), sql.SQL(answers.target))
        return {
            key_text(dict(zip(answers.key_names, values[:-1], strict=True)), answers.key_names): values[-1]
            for values in connection.execute(statement)
            if values[-1] is not None
        }


def picture(root: Path, path: str | None) -> str:
    """Empty where it is not a file below the root, or no picture."""
    if not path or "://" in path or path.startswith("data:"):
        return ""
    file = root / path
    try:
        return thumbnail(file, SIDE) if file.resolve().is_relative_to(root.resolve()) else ""
    except (OSError, ValueError):
        return ""
