"""Runs judged queries by one method after another, and sums up what was found and how long it took."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from thanopg.database.connect import Connection
from thanopg.relevance import metrics
from thanopg.relevance.judgements import Judgement, key_text
from thanopg.relevance.metrics import Interval

METHODS = ("image", "caption", "keyword", "hybrid")
SEARCH = """
    SELECT key, image, similarity
    FROM search_image(%s::text, %s, %s, target => %s::regclass, column_name => %s, options => %s)
    ORDER BY rank
"""
WARM = """
    SELECT thanopg.embed_text(%s, m.model) IS NULL
    FROM (SELECT DISTINCT model FROM thanopg.embedding_column WHERE target = %s::regclass AND kind <> 'caption') m
"""
COLUMN = "SELECT (thanopg.searched_column(%s, 1, %s::regclass, %s, '{}')).key_names"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one query found."""

    found: tuple[str, ...]
    images: tuple[str | None, ...]
    similarities: tuple[float | None, ...]
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One line of the result."""

    model: str
    method: str
    language: str
    """empty: all"""
    queries: int
    ndcg: float
    interval: Interval
    recall: float
    mrr: float
    median_ms: float
    p95_ms: float


class Bench:
    """Searches of one table by one model."""

    def __init__(self, connection: Connection, *, target: str, model: str, column: str | None = None) -> None:
        """Raises psycopg.Error where there is nothing to search."""
        self._connection = connection
        self.target = target
        self.model = model
        self.column = column
        row = connection.execute(COLUMN, [model, target, column]).fetchone()
        assert row is not None
        self.key_names: tuple[str, ...] = tuple(row[0])

    def warm(self, query: str) -> None:
        """Let the service have the query's vectors, so that it does not matter which method asks first."""
        self._connection.execute(WARM, [query, self.target])

    def search(self, query: str, k: int, options: Mapping[str, Any]) -> Outcome:
        arguments = [query, self.model, k, self.target, self.column, json.dumps(options)]
        began = time.perf_counter()
        rows = self._connection.execute(SEARCH, arguments).fetchall()
        milliseconds = 1000 * (time.perf_counter() - began)
        return Outcome(
            found=tuple(key_text(key, self.key_names) for key, _, _ in rows),
            images=tuple(image for _, image, _ in rows),
            similarities=tuple(similarity for _, _, similarity in rows),
            milliseconds=milliseconds,
        )

    def usable(self, method: str, options: Mapping[str, Any], query: str) -> str | None:
        """None, or why a method can't be used here; the query is then known to the service's cache as well."""
        try:
            self.search(query, 1, {**options, "method": method})
        except psycopg.errors.ObjectNotInPrerequisiteState as error:
            return error.diag.message_primary or str(error)
        return None


def run(
    bench: Bench,
    judgements: Sequence[Judgement],
    k: int,
    options: Mapping[str, Any],
    tell: Callable[[], None] | None = None,
) -> list[Outcome]:
    outcomes = []
    for judgement in judgements:
        bench.warm(judgement.query)
        outcomes.append(bench.search(judgement.query, k, options))
        if tell:
            tell()
    return outcomes


def ndcgs(judgements: Sequence[Judgement], outcomes: Sequence[Outcome]) -> list[float]:
    return [metrics.ndcg(o.found, j.relevant) for j, o in zip(judgements, outcomes, strict=True)]


def figures(
    judgements: Sequence[Judgement],
    outcomes: Sequence[Outcome],
    *,
    model: str,
    method: str,
    language: str,
    k: int,
    seed: int,
) -> Figures:
    """Of the queries in one language, or of all."""
    pairs = [(j, o) for j, o in zip(judgements, outcomes, strict=True) if not language or j.language == language]
    gains = [metrics.ndcg(o.found, j.relevant) for j, o in pairs]
    times = [o.milliseconds for _, o in pairs]
    return Figures(
        model=model,
        method=method,
        language=language,
        queries=len(pairs),
        ndcg=metrics.mean(gains),
        interval=metrics.bootstrap(gains, seed=seed),
        recall=metrics.mean([metrics.recall(o.found, j.relevant, k) for j, o in pairs]),
        mrr=metrics.mean([metrics.reciprocal_rank(o.found, j.relevant) for j, o in pairs]),
        median_ms=metrics.percentile(times, 0.5),
        p95_ms=metrics.percentile(times, 0.95),
    )
