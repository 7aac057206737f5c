"""What a worker can be expected to do, and how that is said."""

from __future__ import annotations

import pytest

from tests.pictures import jpeg, photograph
from thanopg.bench.expected import in_words, rate_in_words, with_writing
from thanopg.bench.pipeline import images_per_second
from thanopg.config import ImageLimits
from thanopg.models.embedder import Preprocessing


def test_writing_comes_on_top() -> None:
    assert with_writing(100, 0.004, processors=2) == pytest.approx(1 / 0.012)
    assert with_writing(100, 0.0, processors=2) == 100
    assert with_writing(4000, 0.01, processors=64) == 100, "a slow way to the database"


def test_files_come_out_in_batches_as_the_model_wants_them() -> None:
    seen: list[tuple[int, ...]] = []
    way = Preprocessing(height=8, width=9)
    files = [jpeg(photograph(20, 20, seed=seed)) for seed in range(3)]
    rate = images_per_second(
        lambda pixels: seen.append(pixels.shape), files, way, ImageLimits(), decoders=2, batch=4, seconds=0.01
    )
    assert rate > 0 and len(seen) >= 2 and set(seen) == {(4, 8, 9, 3)}


def test_in_words() -> None:
    lengths = (0.2, 2.4, 89, 91, 89 * 60, 91 * 60, 35 * 3600, 37 * 3600, 86400 * 12345)
    assert [in_words(each) for each in lengths] == [
        *("1 second", "2 seconds", "89 seconds", "2 minutes", "89 minutes"),
        *("2 hours", "35 hours", "2 days", "12,345 days"),
    ]
    assert [rate_in_words(each) for each in (0.26, 9.94, 10.4, 12345)] == ["0.3", "9.9", "10", "12,345"]
