"""The course of `thanopg evaluate`: ask every query by every method, sum up, say it, write it down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from thanopg.cli.progress import Bar
from thanopg.cli.relevance.report import write_report
from thanopg.cli.relevance.source import benches, open_source, read_queries, source_of
from thanopg.cli.screen import Screen
from thanopg.config import Settings
from thanopg.errors import InvalidArgument
from thanopg.relevance import metrics
from thanopg.relevance.judgements import Judgement
from thanopg.relevance.measure import METHODS, Bench, Figures, Outcome, figures, ndcgs, run

TITLES = ("model", "method", "language", "queries", "nDCG@10", "95 %", "Recall@{k}", "MRR", "median ms", "p95 ms")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the command line asked for."""

    queries: str | None
    target: str | None
    models: tuple[str, ...]
    column: str | None
    methods: tuple[str, ...]
    options: str
    k: int
    catalog: bool
    sample: int | None
    seed: int
    html: Path | None
    worst: int
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All that one method of one model has found."""

    model: str
    method: str
    target: str
    key_names: tuple[str, ...]
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Hybrid search against the best single method of the same model, query by query."""

    model: str
    language: str
    best: str
    gain: float
    interval: metrics.Interval

    def __str__(self) -> str:
        where = f"{self.model}, {self.language or 'all'}"
        return (
            f"{where}: hybrid is {self.gain:+.3f} nDCG@10 against {self.best}, the best single method "
            f"(95 %: {self.interval.low:+.3f} to {self.interval.high:+.3f})"
        )


def run_evaluation(settings: Settings, wanted: Wanted) -> None:
    """Raises InvalidArgument, DatabaseUnavailable, psycopg.Error, OSError."""
    screen = Screen()
    options = parsed(wanted.options)
    for method in wanted.methods:
        if method not in METHODS:
            raise InvalidArgument(f"unknown method {method!r}", hint=f"known: {', '.join(METHODS)}")
    with source_of(
        settings, screen, catalog=wanted.catalog, queries=wanted.queries, target=wanted.target, models=wanted.models
    ) as source:
        with open_source(source, "evaluate") as connection:
            found = benches(connection, source, wanted.column)
            judgements = read_queries(connection, source, found[0], sample=wanted.sample)
            answers = [answer for bench in found for answer in ask(screen, bench, judgements, wanted, options)]
        lines = summed_up(judgements, answers, wanted)
        remarks = compared(judgements, answers, wanted)
        if wanted.as_json:
            screen.data(json.dumps(as_json(judgements, lines, remarks, wanted), ensure_ascii=False, indent=2))
        else:
            show(screen, lines, remarks, wanted.k)
        if wanted.html is not None:
            write_report(wanted.html, source, judgements, answers, lines, [str(each) for each in remarks], wanted)
            screen.done(f"report: {wanted.html}")


def parsed(options: str) -> dict[str, Any]:
    try:
        found = json.loads(options)
    except json.JSONDecodeError as error:
        raise InvalidArgument(
            f"--options is no JSON: {error}", hint="""for example: '{"fusion": "score"}'"""
        ) from error
    if not isinstance(found, dict):
        raise InvalidArgument("--options must be a JSON object", hint="""for example: '{"fusion": "score"}'""")
    return found


def ask(
    screen: Screen, bench: Bench, judgements: Sequence[Judgement], wanted: Wanted, options: Mapping[str, Any]
) -> list[Answers]:
    answers = []
    for method in wanted.methods or METHODS:
        missing = bench.usable(method, options, judgements[0].query)
        if missing is not None:
            if wanted.methods:
                raise InvalidArgument(missing, hint="leave --method out to measure what can be used")
            screen.say(f"without {method}: {missing}")
            continue
        done = 0
        with Bar(screen, f"{bench.model}, {method}", total=len(judgements), unit="queries") as bar:

            def tell(bar: Bar = bar) -> None:
                nonlocal done
                done += 1
                bar.set(done)

            outcomes = run(bench, judgements, wanted.k, {**options, "method": method}, tell)
        answers.append(
            Answers(model=bench.model, method=method, target=bench.target, key_names=bench.key_names, outcomes=outcomes)
        )
    return answers


def languages(judgements: Sequence[Judgement]) -> list[str]:
    """Those that are named, and all together where there are several or none."""
    named = sorted({judgement.language for judgement in judgements if judgement.language})
    return named if len(named) == 1 and all(j.language for j in judgements) else [*named, ""]


def summed_up(judgements: Sequence[Judgement], answers: Sequence[Answers], wanted: Wanted) -> list[Figures]:
    return [
        figures(
            judgements, answer.outcomes, model=answer.model, method=answer.method, language=language, k=wanted.k,
            seed=wanted.seed,
        )
        for language in languages(judgements) for answer in answers
    ]  # fmt: skip


def compared(judgements: Sequence[Judgement], answers: Sequence[Answers], wanted: Wanted) -> list[Comparison]:
    comparisons = []
    for model in dict.fromkeys(answer.model for answer in answers):
        gains = {a.method: ndcgs(judgements, a.outcomes) for a in answers if a.model == model}
        for language in languages(judgements) if "hybrid" in gains and len(gains) > 1 else ():
            places = [i for i, j in enumerate(judgements) if not language or j.language == language]
            of_language = {method: [values[i] for i in places] for method, values in gains.items()}
            best = max((m for m in of_language if m != "hybrid"), key=lambda method: metrics.mean(of_language[method]))
            gain, interval = metrics.difference(of_language["hybrid"], of_language[best], seed=wanted.seed)
            comparisons.append(Comparison(model=model, language=language, best=best, gain=gain, interval=interval))
    return comparisons


def show(screen: Screen, lines: Sequence[Figures], remarks: Sequence[Comparison], k: int) -> None:
    rows = [
        (
            f.model,
            f.method,
            f.language or "all",
            f.queries,
            f"{f.ndcg:.3f}",
            f"{f.interval.low:.3f} – {f.interval.high:.3f}",
            f"{f.recall:.3f}",
            f"{f.mrr:.3f}",
            f"{f.median_ms:.1f}",
            f"{f.p95_ms:.1f}",
        )
        for f in lines
    ]
    screen.table([title.format(k=k) for title in TITLES], rows)
    for remark in remarks:
        screen.data(str(remark))


def as_json(
    judgements: Sequence[Judgement], lines: Sequence[Figures], remarks: Sequence[Comparison], wanted: Wanted
) -> dict[str, Any]:
    return {
        "queries": len(judgements),
        "k": wanted.k,
        "figures": [{**asdict(line), "interval": list(line.interval)} for line in lines],
        "hybrid": [{**asdict(remark), "interval": list(remark.interval)} for remark in remarks],
    }
