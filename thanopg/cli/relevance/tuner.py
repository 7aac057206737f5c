"""The course of `thanopg tune`."""

from __future__ import annotations

import json
from typing import Any

from thanopg.cli.relevance.evaluation import languages
from thanopg.cli.relevance.source import benches, open_source, read_queries, source_of
from thanopg.cli.screen import Screen
from thanopg.config import Settings
from thanopg.errors import InvalidArgument
from thanopg.relevance import metrics
from thanopg.relevance.measure import METHODS, ndcgs, run
from thanopg.relevance.tuning import FUSIONS, Tried, Weights, halves, tune

K = 10
TITLES = ("fusion", "weights", "nDCG@10 on one half")
COMPARED = ("language", "queries", "as it is", "tuned", "gain", "95 %")


def run_tuning(
    settings: Settings, *, queries: str | None, target: str | None, models: tuple[str, ...], column: str | None,
    fusion: str | None, catalog: bool, sample: int | None, seed: int, as_json: bool,
) -> None:  # fmt: skip
    """Raises InvalidArgument, DatabaseUnavailable, psycopg.Error, OSError."""
    screen = Screen()
    if fusion not in (None, *FUSIONS):
        raise InvalidArgument(f"unknown fusion {fusion!r}", hint=f"known: {', '.join(FUSIONS)}")
    with (
        source_of(settings, screen, catalog=catalog, queries=queries, target=target, models=models) as source,
        open_source(source, "tune") as connection,
    ):
        found = benches(connection, source, column)
        if len(found) > 1:
            raise InvalidArgument(
                f"more than one model: {', '.join(bench.model for bench in found)}", hint="name one: --model"
            )
        bench = found[0]
        judgements = read_queries(connection, source, bench, sample=sample)
        methods = [m for m in METHODS if m != "hybrid" and bench.usable(m, {}, judgements[0].query) is None]
        if len(methods) < 2 or len(judgements) < 4:
            raise InvalidArgument(
                f"nothing to weigh: {', '.join(methods) or 'no method'} can be used, {len(judgements)} queries",
                hint="add_text_embedding, add_keyword_index; and at least four judged queries",
            )
        training, trial = halves(judgements, seed)

        def score(fusion: str, weights: Weights) -> float:
            options = Tried(fusion=fusion, weights=weights, ndcg=0).options
            return metrics.mean(ndcgs(training, run(bench, training, K, options)))

        tried = []
        for each in tune(methods, score, fusions=[fusion] if fusion else FUSIONS):
            tried.append(each)
            screen.say(f"{each.fusion} {shown(each.weights)}: {each.ndcg:.4f}")
        best = max(tried, key=lambda each: each.ndcg)
        usual = ndcgs(trial, run(bench, trial, K, {"method": "hybrid"}))
        tuned = ndcgs(trial, run(bench, trial, K, best.options))
        rows: list[dict[str, Any]] = []
        for language in languages(judgements):
            places = [i for i, j in enumerate(trial) if not language or j.language == language]
            before, after = [usual[i] for i in places], [tuned[i] for i in places]
            gain, interval = metrics.difference(after, before, seed=seed)
            rows.append(
                {
                    "language": language or "all", "queries": len(places), "usual": metrics.mean(before),
                    "tuned": metrics.mean(after), "gain": gain, "interval": list(interval),
                }
            )  # fmt: skip
    if as_json:
        result = {
            "options": best.options,
            "training": {"queries": len(training), "ndcg": best.ndcg},
            "other_half": rows,
        }
        screen.data(json.dumps(result, ensure_ascii=False, indent=2))
        return
    screen.table(
        COMPARED,
        [
            (
                row["language"], row["queries"], f"{row['usual']:.3f}", f"{row['tuned']:.3f}", f"{row['gain']:+.3f}",
                f"{row['interval'][0]:+.3f} – {row['interval'][1]:+.3f}",
            )
            for row in rows
        ],
    )  # fmt: skip
    screen.data(f"options => '{json.dumps(best.options)}'")


def shown(weights: Weights) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in weights.items())
