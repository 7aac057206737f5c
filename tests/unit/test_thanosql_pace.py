"""How long is left: what is known before, then what rows have lately got done, and nothing where nobody knows."""

from __future__ import annotations

import pytest

from thanopg.cli.sql.progress import Bars
from thanopg.notebook.progress import Moving
from thanopg.thanosql.pace import ENOUGH_SECONDS, RECENT_SECONDS, Pace
from thanopg.thanosql.result import Progress


def test_nobody_knows() -> None:
    pace = Pace(1000, None)
    assert pace.rate is None and pace.seconds_left is None
    pace.done(0, 100)
    pace.done(64, 200)  # a model was loaded before: that is no rate
    assert pace.rate is None and pace.seconds_left is None


def test_as_expected_until_enough_is_seen() -> None:
    pace = Pace(1000, 10.0)
    assert pace.seconds_left == 100
    pace.done(100, 50)
    assert (pace.rate, pace.seconds_left) == (10.0, 90)
    pace.done(200, 50 + ENOUGH_SECONDS - 1)
    assert pace.rate == 10.0
    pace.done(300, 50 + ENOUGH_SECONDS)
    assert pace.rate == 200 / ENOUGH_SECONDS
    assert pace.seconds_left == pytest.approx(700 / (200 / ENOUGH_SECONDS))


def test_lately() -> None:
    pace = Pace(10_000, None)
    for second in range(100):
        pace.done(1 + second, second)
    for second in range(int(2 * RECENT_SECONDS)):
        pace.done(100 + 50 * (second + 1), 100 + second)
    assert pace.rate == pytest.approx(50, rel=0.05)


def test_an_estimate_that_grows_does_not_go_backwards() -> None:
    pace = Pace(100, 10.0)
    pace.done(50, 10)
    pace.done(30, 11)  # counts of many rows are estimates
    assert pace.seconds_left == 5
    pace.done(200, 12)
    assert pace.seconds_left == 0


def test_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    from thanopg.cli.screen import Screen

    long = Progress(
        what="embedding 사진", done=0, total=25_000, unit="rows", note="1 worker", rate=139.0, seconds_left=179.9
    )
    bars = Bars(Screen())
    bars(long)
    bars.finish(succeeded=False)
    assert capsys.readouterr().err == "embedding 사진: 25,000 rows, about 3 minutes at 139 rows/s\n"
    bars(Progress(what="embedding 사진", done=0, total=100, unit="rows", rate=50.0, seconds_left=2.0))
    bars.finish(succeeded=False)
    assert capsys.readouterr().err == "", "not worth saying"
    assert repr(Moving(long)) == "embedding 사진: 0 of 25,000 rows · 1 worker · 139 rows/s · about 3 minutes left"
