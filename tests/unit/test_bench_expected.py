"""What a worker can be expected to do follows from its slowest part, and from who shares the processors."""

from __future__ import annotations

import pytest

from thanopg.bench.expected import Costs, images_per_second, in_words, rate_in_words


@pytest.mark.parametrize(
    ("costs", "decoders", "processors", "expected"),
    [
        # everything on two processors: 2 / (10 + 30 ms)
        (Costs(decode=0.010, forward=0.015, forward_cpu=0.030), 2, 2, 50),
        # a GPU that decoding keeps waiting, and one that it does not
        (Costs(decode=0.010, forward=0.001, forward_cpu=0.001), 4, 16, 400),
        (Costs(decode=0.010, forward=0.001, forward_cpu=0.001), 16, 16, 1000),
        # more decoding processes than processors help nobody
        (Costs(decode=0.010, forward=0.001, forward_cpu=0.0), 64, 4, 400),
        # a slow way to the database
        (Costs(decode=0.001, forward=0.001, forward_cpu=0.0, write=0.02), 8, 8, 50),
    ],
)
def test_the_slowest_part(costs: Costs, decoders: int, processors: int, expected: float) -> None:
    assert images_per_second(costs, decoders=decoders, processors=processors) == pytest.approx(expected)


def test_in_words() -> None:
    lengths = (0.2, 2.4, 89, 91, 89 * 60, 91 * 60, 35 * 3600, 37 * 3600, 86400 * 12345)
    assert [in_words(each) for each in lengths] == [
        *("1 second", "2 seconds", "89 seconds", "2 minutes", "89 minutes"),
        *("2 hours", "35 hours", "2 days", "12,345 days"),
    ]
    assert [rate_in_words(each) for each in (0.26, 9.94, 10.4, 12345)] == ["0.3", "9.9", "10", "12,345"]
