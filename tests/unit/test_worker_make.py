"""From contents to what is written: halved around what a model can't digest, and made once of equal contents."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from thanopg.errors import ImageError, ModelFailed, NotSupported
from thanopg.models.embedder import Pixels
from thanopg.worker.adoption import LEAST_COSINE, compared
from thanopg.worker.claim import ClaimedRow, Content, Made, Prepared
from thanopg.worker.make import make_prepared
from thanopg.worker.recent import Recent


class Model:
    """Repeats texts in capitals; raises at those that say so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[int] = []
        self.error = error or ValueError("bad text")

    def make(self, materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        self.calls.append(len(materials))
        if any("raise" in text for text in materials):
            raise self.error
        return [
            ImageError("unusable_caption", "empty") if text == "empty" else Made(str(text).upper())
            for text in materials
        ]


def prepared(*texts: str | None, adopted: str | None = None) -> list[Prepared]:
    return [
        Prepared(
            row=ClaimedRow(
                key=str(n),
                attempts=0,
                lost_leases=0,
                source=text,
                source_hash=None,
                content_hash=None,
                adopted=adopted,
            ),
            content=None
            if text is None
            else Content(content_hash=hashlib.sha256(text.encode()).digest(), size=len(text), material=text),
        )
        for n, text in enumerate(texts)
    ]


def test_one_call_for_a_batch_and_none_for_what_is_known() -> None:
    model, recent = Model(), Recent()
    written, failed = make_prepared(prepared("a", "b", "a", None), model.make, recent)
    assert [w.made and w.made.value for w in written] == ["A", "B", "A", None]
    assert (failed, model.calls) == ([], [2])
    again, _ = make_prepared(prepared("b", "a"), model.make, recent)
    assert ([w.made and w.made.value for w in again], model.calls) == (["B", "A"], [2])


def test_the_culprit_is_found_and_nobody_else_blamed() -> None:
    model = Model()
    written, failed = make_prepared(prepared(*"abcdef", "raise", "g"), model.make, Recent())
    assert [w.row.key for w in written] == [*"012345", "7"]
    ((fault, key),) = [(p.fault, p.row.key) for p in failed]
    assert key == "6" and fault is not None and fault.fault == "model_failed" and not fault.permanent
    assert model.calls == [8, 4, 4, 2, 2, 1, 1]


def test_a_model_that_fails_on_all_is_itself_to_blame() -> None:
    with pytest.raises(ModelFailed):
        make_prepared(prepared("raise", "raise too"), Model().make, Recent())


def test_pictures_without_a_caption_are_not_the_model_s_fault() -> None:
    other = prepared("empty", None)
    _, failed = make_prepared(other, Model().make, Recent())
    assert [p.fault and p.fault.fault for p in failed] == ["unusable_caption"]


@pytest.mark.parametrize(
    ("error", "raised"), [(NotSupported("it takes no prompt"), NotSupported), (MemoryError(), ModelFailed)]
)
def test_what_is_no_row_s_fault(error: Exception, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        make_prepared(prepared("a", "raise"), Model(error).make, Recent())


def test_little_is_remembered_for_long() -> None:
    recent = Recent(2)
    for sign in (b"a", b"b"):
        recent.put(sign, Made(sign.decode()))
    assert recent.get(b"a") == Made("a")
    recent.put(b"c", Made("c"))
    assert (b"a" in recent, b"b" in recent, b"c" in recent) == (True, False, True)


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ("[1,0]", True),
        ("[3,0.1]", True),
        ("[0.99,0.13]", True),
        ("[1,0.2]", False),
        ("[0,0]", False),
        ("[-1,0]", False),
    ],
)
def test_an_adopted_vector_stays_if_it_is_the_model_s(there: str, kept: bool) -> None:
    outcome = compared(there, Made("[1,0]"))
    if kept:
        assert outcome == Made(there)
    else:
        assert isinstance(outcome, ImageError) and outcome.permanent
        assert outcome.fault == "adoption_mismatch" and str(LEAST_COSINE) in outcome.message


def test_an_adopted_vector_is_compared_with_what_is_made() -> None:
    def make(materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        return [Made("[0,1]") for _ in materials]

    written, failed = make_prepared(prepared("a", adopted="[0,2]"), make, Recent())
    assert ([w.made for w in written], failed) == ([Made("[0,2]")], [])
    written, failed = make_prepared(prepared("a", adopted="[2,0]"), make, Recent())
    assert (written, [p.fault and p.fault.fault for p in failed]) == ([], ["adoption_mismatch"])
