"""Measures against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from thanopg.relevance import metrics

FOUND = ["a", "x", "b", "y", "c"]
RELEVANT = {"a", "b", "c", "d"}


def test_recall() -> None:
    assert metrics.recall(FOUND, RELEVANT, 1) == 1  # one place, and it is right
    assert metrics.recall(FOUND, RELEVANT, 3) == 2 / 3
    assert metrics.recall(FOUND, RELEVANT, 5) == 3 / 4
    assert metrics.recall(FOUND, RELEVANT, 100) == 3 / 4
    assert metrics.recall([], RELEVANT, 5) == metrics.recall(FOUND, set(), 5) == 0


def test_reciprocal_rank() -> None:
    assert metrics.reciprocal_rank(FOUND, RELEVANT) == 1
    assert metrics.reciprocal_rank(FOUND, {"c"}) == 1 / 5
    assert metrics.reciprocal_rank(FOUND, {"q"}) == metrics.reciprocal_rank([], {"q"}) == 0


def test_ndcg() -> None:
    # places 1, 3 and 5 of five; the best list of four relevant ones would have places 1 to 4
    gain = 1 + 1 / math.log2(4) + 1 / math.log2(6)
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4) + 1 / math.log2(5)
    assert metrics.ndcg(FOUND, RELEVANT) == pytest.approx(gain / best)
    assert metrics.ndcg(FOUND, RELEVANT) == pytest.approx(1.88685 / 2.56160, abs=1e-5)
    assert metrics.ndcg(FOUND, RELEVANT, k=2) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert metrics.ndcg(["a", "b", "c", "d"], RELEVANT) == 1
    assert metrics.ndcg(["x"], RELEVANT) == metrics.ndcg(FOUND, set()) == 0


def test_percentile() -> None:
    values = [30.0, 10.0, 20.0, 40.0]
    assert metrics.percentile(values, 0.5) == 20
    assert metrics.percentile(values, 0.95) == 40
    assert metrics.percentile(values, 0.0) == 10
    assert metrics.percentile([], 0.5) == metrics.mean([]) == 0


def test_bootstrap_holds_the_mean_and_narrows_with_more_values() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 500
    wide, narrow = metrics.bootstrap(few), metrics.bootstrap(many)
    assert wide.low < narrow.low < 0.5 < narrow.high < wide.high
    # the mean of 1,000 halves has a standard deviation of 0.5 / sqrt(1000)
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * 0.5 / math.sqrt(1000), rel=0.1)
    assert metrics.bootstrap([0.3] * 7) == pytest.approx((0.3, 0.3))
    assert metrics.bootstrap(many) == narrow and metrics.bootstrap(many, seed=1) != narrow
    assert metrics.bootstrap([]) == (0, 0)


def test_a_difference_is_paired() -> None:
    theirs = [i / 100 for i in range(100)]
    gain, interval = metrics.difference([value + 0.01 for value in theirs], theirs)
    assert gain == pytest.approx(0.01) and interval.low == pytest.approx(0.01) == interval.high
    with pytest.raises(ValueError):
        metrics.difference([1.0], [])
