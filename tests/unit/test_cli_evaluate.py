"""`thanopg evaluate` without a database: what is compared with what, what is said, and what is refused."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from thanopg.cli.main import make_app
from thanopg.cli.relevance.evaluation import Answers, Wanted, compared, languages, parsed, summed_up
from thanopg.errors import InvalidArgument, ThanopgError
from thanopg.relevance.judgements import Judgement
from thanopg.relevance.measure import Outcome

WANTED = Wanted(
    queries="q.csv", target=None, models=(), column=None, methods=(), options="{}", k=10, catalog=False, sample=None,
    seed=0, html=None, worst=0, as_json=False,
)  # fmt: skip


def judgement(number: int, language: str) -> Judgement:
    return Judgement(query=f"q{number}", relevant=frozenset({f"r{number}"}), language=language, kind="")


def answers(method: str, *places: int) -> Answers:
    """For each query, the place at which its one relevant row comes; 0 where it does not."""
    outcomes = [
        Outcome(
            found=tuple("x" * (place - 1)) + ((f"r{number}",) if place else ()),
            images=(), similarities=(), milliseconds=10.0 * (number + 1),
        )
        for number, place in enumerate(places)
    ]  # fmt: skip
    return Answers(model="m", method=method, target="t", key_names=("id",), outcomes=outcomes)


JUDGED = [judgement(number, "ko" if number < 2 else "en") for number in range(4)]


def test_hybrid_is_compared_with_the_best_single_method_of_each_language() -> None:
    given = [answers("image", 1, 3, 0, 0), answers("keyword", 0, 0, 1, 1), answers("hybrid", 1, 1, 1, 3)]
    by_language = {each.language: each for each in compared(JUDGED, given, WANTED)}
    ko, en, both = by_language["ko"], by_language["en"], by_language[""]
    assert (ko.best, ko.gain) == ("image", pytest.approx(0.25)) and ko.interval.low <= ko.gain <= ko.interval.high
    assert (en.best, en.gain) == ("keyword", pytest.approx(-0.25))
    assert (both.best, both.gain) == ("keyword", pytest.approx((0.5 + 1 + 1 + 1) / 4 - 0.5))
    assert str(ko).startswith("m, ko: hybrid is +0.250 nDCG@10 against image, the best single method (95 %: ")
    assert compared(JUDGED, given[:2], WANTED) == []


def test_figures_of_each_language() -> None:
    ko = next(f for f in summed_up(JUDGED, [answers("image", 1, 3, 0, 0)], WANTED) if f.language == "ko")
    assert (ko.queries, ko.ndcg, ko.recall, ko.mrr) == (2, 0.75, 1.0, pytest.approx(2 / 3))
    assert (ko.median_ms, ko.p95_ms) == (10, 20)


def test_languages() -> None:
    assert languages(JUDGED) == ["en", "ko", ""]
    assert languages(JUDGED[:2]) == ["ko"]
    assert languages([judgement(1, "")]) == [""]
    assert languages([judgement(1, ""), judgement(2, "ko")]) == ["ko", ""]


def test_options_are_a_json_object() -> None:
    assert parsed('{"fusion": "score"}') == {"fusion": "score"}
    for wrong in ("{", "[]", "1"):
        with pytest.raises(InvalidArgument) as caught:
            parsed(wrong)
        assert "fusion" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["evaluate"], "which queries"),
        (["tune"], "which queries"),
        (["evaluate", "q.csv", "--method", "guess"], "unknown method 'guess'"),
        (["tune", "q.csv", "--fusion", "sum"], "unknown fusion 'sum'"),
        (["evaluate", "--catalog"], "there is no shop"),
    ],
)
def test_misuse(arguments: list[str], said: str, tmp_path: object) -> None:
    result = CliRunner().invoke(make_app(), ["--home", f"{tmp_path}/home", *arguments])
    assert isinstance(result.exception, ThanopgError)
    assert said in result.exception.message and result.exception.hint
