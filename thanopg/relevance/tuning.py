"""Finds the weights and the fusion that rank judged queries best, by trying them in the database itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from thanopg.relevance.judgements import Judgement

Weights = Mapping[str, float]
FUSIONS = ("rrf", "score")
STEPS = (0.0, 0.5, 2.0)
"""what each weight is multiplied by in turn"""
ROUNDS = 4
WORTH = 1e-9


@dataclass(frozen=True, kw_only=True)
class Tried:
    fusion: str
    weights: Weights
    ndcg: float

    @property
    def options(self) -> dict[str, Any]:
        return {"method": "hybrid", "fusion": self.fusion, "weights": dict(self.weights)}


def halves(judgements: Sequence[Judgement], seed: int) -> tuple[list[Judgement], list[Judgement]]:
    """Two of the same make-up: of every language and kind, one goes here and the next there."""
    random = Random(seed)  # noqa: S311 - statistics, not secrets
    shuffled = random.sample(judgements, len(judgements))
    shuffled.sort(key=lambda judgement: (judgement.language, judgement.kind))
    return shuffled[::2], shuffled[1::2]


def tune(
    methods: Sequence[str], score: Callable[[str, Weights], float], *, fusions: Sequence[str] = FUSIONS
) -> Iterator[Tried]:
    """Every trial as it is made; the best by `score` is the one to take. From equal weights, one changed at a time."""
    for fusion in fusions:
        seen: dict[tuple[float, ...], float] = {}
        best: dict[str, float] = dict.fromkeys(methods, 1.0)
        yield Tried(fusion=fusion, weights=dict(best), ndcg=_remember(seen, best, fusion, score))
        for _ in range(ROUNDS):
            before = dict(best)
            for method in methods:
                for step in STEPS:
                    trial = _scaled(
                        {**best, method: best[method] * step or (0.5 if best[method] == 0 and step else 0.0)}
                    )
                    if trial is None or _shape(trial) in seen:
                        continue
                    gained = _remember(seen, trial, fusion, score)
                    yield Tried(fusion=fusion, weights=trial, ndcg=gained)
                    if gained > seen[_shape(best)] + WORTH:
                        best = trial
            if best == before:
                break


def _remember(
    seen: dict[tuple[float, ...], float], weights: Weights, fusion: str, score: Callable[[str, Weights], float]
) -> float:
    return seen.setdefault(_shape(weights), score(fusion, weights))


def _shape(weights: Weights) -> tuple[float, ...]:
    return tuple(round(weight, 6) for weight in weights.values())


def _scaled(weights: dict[str, float]) -> dict[str, float] | None:
    """The same proportions with 1 as the largest; None where nothing is left."""
    largest = max(weights.values())
    return {name: weight / largest for name, weight in weights.items()} if largest > 0 else None
