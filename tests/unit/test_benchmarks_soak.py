"""What an hour of samples says: memory that stays, that climbs, that comes and goes, and that was only warming up."""

from __future__ import annotations

import pytest

from benchmarks.soak import MOST_GROWTH, Series, figures

SAMPLES = 240


def judged(series: Series) -> tuple[bool | None, float]:
    largest, slope = figures("memory", "worker", series, MOST_GROWTH)
    return largest.held, slope.median


def hour(*mebibytes: float) -> Series:
    """Spread evenly over an hour."""
    return [(index * 3600 / (len(mebibytes) - 1), held) for index, held in enumerate(mebibytes)]


def test_memory_that_stays() -> None:
    assert judged(hour(*[700.0] * SAMPLES)) == (True, pytest.approx(0))


def test_memory_that_climbs() -> None:
    held, slope = judged(hour(*[700.0 + index for index in range(SAMPLES)]))
    assert held is False
    assert slope == pytest.approx(SAMPLES - 1)


def test_memory_that_comes_and_goes() -> None:
    held, slope = judged(hour(*[700.0 + 50 * (index % 4) for index in range(SAMPLES)]))
    assert held is True
    assert abs(slope) < 5


def test_caches_that_fill_at_first_are_no_growth() -> None:
    assert judged(hour(*[700.0 - max(0, 30 - index) * 10 for index in range(SAMPLES)])) == (True, pytest.approx(0))


def test_a_step_in_the_second_half() -> None:
    assert judged(hour(*[700.0] * (SAMPLES - 60), *[740.0] * 60))[0] is False
