"""A rate is of the time in which more rows waited, and of nothing else."""

from __future__ import annotations

import uuid

from thanopg.worker.claim import Claim, EmbeddingColumn, Kind
from thanopg.worker.rate import FEWEST, NOTE_SECONDS, REMEMBERED, Busy, Rated, Rates


def claim(at: float, fingerprint: str = "f", kind: Kind = "image") -> Claim:
    column = EmbeddingColumn(id=1, label="t.c", kind=kind, model_source="fake:8", fingerprint=fingerprint)
    return Claim(column=column, token=uuid.uuid4(), rows=(), at=at)


def noted() -> tuple[Rates, list[tuple[Rated, Busy]]]:
    notes: list[tuple[Rated, Busy]] = []
    return Rates(lambda rated, busy: notes.append((rated, busy))), notes


def test_batches_that_waited_behind_another() -> None:
    rates, notes = noted()
    for number in range(FEWEST + 1):  # the first one waited behind none
        rates.done(claim(at=0), 64, now=100 + 2.0 * number)
    assert notes == [(Rated("f", "image"), Busy(64 * FEWEST, 2.0 * FEWEST))]


def test_idle_time_does_not_count() -> None:
    rates, notes = noted()
    for number in range(50):
        rates.done(claim(at=100 * number + 1), 1, now=100.0 * number + 2)
    rates.flush()
    assert notes == []
    rates.done(claim(at=10_000), 64, now=10_001)
    for number in range(FEWEST):
        rates.done(claim(at=10_000), 64, now=10_002 + number)
    assert notes == [(Rated("f", "image"), Busy(64 * FEWEST, FEWEST))]


def test_what_came_to_nothing_does_not_count() -> None:
    rates, notes = noted()
    for number in range(FEWEST):
        rates.done(claim(at=0), 64, now=float(number))
        rates.given_back()
    for number in range(FEWEST):
        rates.done(claim(at=0), 0, now=float(number))  # nothing but faults
    rates.flush()
    assert notes == []


def test_the_latest_batches_count_and_notes_are_seldom() -> None:
    rates, notes = noted()
    rates.done(claim(at=0), 1, now=0)
    for number in range(REMEMBERED):
        rates.done(claim(at=0), 1, now=1 + number)
    for number in range(2 * REMEMBERED):
        rates.done(claim(at=0), 100, now=1 + REMEMBERED + number)
    assert notes[-1] == (Rated("f", "image"), Busy(100 * REMEMBERED, REMEMBERED))
    assert len(notes) <= 1 + 3 * REMEMBERED / NOTE_SECONDS
    before = len(notes)
    rates.done(claim(at=0), 100, now=2 + 3 * REMEMBERED)
    rates.flush()
    rates.flush()
    assert len(notes) == before + 1


def test_models_and_kinds_apart() -> None:
    rates, notes = noted()
    now = 0.0
    for number in range(2 * FEWEST + 1):
        now += 1 + 2 * (number % 2)
        rates.done(claim(at=0, fingerprint="ab"[number % 2], kind="text" if number % 2 else "image"), 10, now=now)
    rates.flush()
    assert dict(notes) == {
        Rated("a", "image"): Busy(10 * FEWEST, FEWEST),
        Rated("b", "text"): Busy(10 * FEWEST, 3 * FEWEST),
    }
