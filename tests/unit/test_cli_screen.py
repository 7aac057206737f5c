"""Aligned text, as psql shows it."""

from __future__ import annotations

from decimal import Decimal

from thanopg.cli.screen import About, aligned, text_of
from thanopg.cli.status import about, duration


def test_hangul_is_two_columns_wide() -> None:
    assert aligned(("rank", "name"), [(1, "흰색 운동화"), (10, "boots")]) == "\n".join(
        [
            " rank |    name",
            "------+-------------",
            "    1 | 흰색 운동화",
            "   10 | boots",
            "(2 rows)",
        ]
    )


def test_nothing_null_and_numbers() -> None:
    assert aligned(("a", "b"), []) == " a | b\n---+---\n(0 rows)"
    assert aligned(("a", "b"), [(None, Decimal("0.5"))]).splitlines()[-2:] == ["   | 0.5", "(1 row)"]


def test_line_breaks_do_not_break_the_table() -> None:
    assert "x y" in aligned(("a",), [("x\ny",)])


def test_duration() -> None:
    assert [duration(seconds) for seconds in (0, 59.6, 61, 3600, 36_061)] == [
        "0:00",
        "1:00",
        "1:01",
        "1:00:00",
        "10:01:01",
    ]


def test_estimates_look_like_ones() -> None:
    assert aligned(("rows",), [(About(1_000_000),)]).splitlines()[2] == " ~1,000,000"
    assert [text_of(about(count)) for count in (None, 7, 20_000, 20_001)] == ["", "7", "20,000", "~20,001"]
