"""Tuning finds the best weights of a score that is known, and its halves are alike."""

from __future__ import annotations

from collections import Counter

from thanopg.relevance.judgements import Judgement
from thanopg.relevance.tuning import Tried, Weights, halves, tune

METHODS = ("image", "caption", "keyword")


def best_of(score: object) -> tuple[Tried, int]:
    tried = list(tune(METHODS, score))  # type: ignore[arg-type]
    return max(tried, key=lambda trial: trial.ndcg), len(tried)


def test_it_climbs_to_the_best_proportions() -> None:
    def score(fusion: str, weights: Weights) -> float:
        image, caption, keyword = (weights[m] / sum(weights.values()) for m in METHODS)
        return (fusion == "score") - abs(image - 4 / 7) - abs(caption - 1 / 7) - abs(keyword - 2 / 7)

    best, trials = best_of(score)
    assert best.fusion == "score" and best.weights == {"image": 1, "caption": 0.25, "keyword": 0.5}
    assert best.options == {"method": "hybrid", "fusion": "score", "weights": best.weights}
    assert trials < 60


def test_a_method_that_only_harms_goes() -> None:
    best, _ = best_of(lambda fusion, weights: -weights["caption"] / sum(weights.values()))
    assert best.weights["caption"] == 0 and sum(best.weights.values()) > 0


def test_nothing_is_tried_twice() -> None:
    tried = list(tune(METHODS, lambda fusion, weights: weights["image"]))
    assert len({(t.fusion, *t.weights.values()) for t in tried}) == len(tried)


def test_halves_are_alike() -> None:
    judgements = [
        Judgement(query=f"{language}{kind}{i}", relevant=frozenset({"1"}), language=language, kind=kind)
        for language in ("ko", "en") for kind in ("looks", "use") for i in range(10)
    ]  # fmt: skip
    one, other = halves(judgements, seed=3)
    assert {j.query for j in one} | {j.query for j in other} == {j.query for j in judgements}
    assert not {j.query for j in one} & {j.query for j in other}
    assert Counter((j.language, j.kind) for j in one) == Counter((j.language, j.kind) for j in other)
    assert halves(judgements, seed=3) == (one, other) != halves(judgements, seed=4)
