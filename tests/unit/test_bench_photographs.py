"""Pictures to measure with: made ones of the sizes that they say, and a sample of the user's own."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.pictures import jpeg, photograph
from thanopg.bench.photographs import SAMPLE, SIZES, made_photographs, own_photographs
from thanopg.config import ImageLimits
from thanopg.errors import InvalidArgument
from thanopg.models.embedder import Preprocessing

LIMITS, SMALL = ImageLimits(), Preprocessing(height=8, width=8)


def test_made_ones_have_their_sizes_and_the_bytes_of_photographs() -> None:
    for made in made_photographs():
        for file in made.files:
            width, height = Image.open(io.BytesIO(file)).size
            assert (width, height) == SIZES[made.label]
            assert 0.8 < 8 * len(file) / (width * height) < 5, "bits a pixel"
        assert len(set(made.files)) == len(made.files)


def test_own_ones_whatever_they_are_called(tmp_path: Path) -> None:
    folder = tmp_path / "여름 사진"
    folder.mkdir()
    for number in range(SAMPLE - 2):
        (folder / f"바닷가 {number}.JPG").write_bytes(jpeg(photograph(20, 20, seed=number)))
    (folder / "망가진.png").write_bytes(b"no picture")
    (folder / "없는.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "notes.txt").write_text("no picture either")
    found, faults = own_photographs(tmp_path, LIMITS, SMALL)
    assert len(found.files) == SAMPLE - 2
    assert sum(faults.values()) == 2 and faults["not_an_image"] == 1
    again, _ = own_photographs(tmp_path, LIMITS, SMALL)
    assert again == found


def test_no_more_than_a_sample(tmp_path: Path) -> None:
    for number in range(SAMPLE + 20):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(photograph(9, 9, seed=number)))
    assert len(own_photographs(tmp_path, LIMITS, SMALL)[0].files) == SAMPLE


def test_none_to_be_used(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="is not a directory"):
        own_photographs(tmp_path / "없음", LIMITS, SMALL)
    with pytest.raises(InvalidArgument, match="no pictures below") as empty:
        own_photographs(tmp_path, LIMITS, SMALL)
    assert "--pictures" in empty.value.hint
    (tmp_path / "사진.jpg").write_bytes(b"no picture")
    with pytest.raises(
        InvalidArgument, match=r"none of 1 pictures .* can be used, the first: 사진.jpg: expected one of"
    ):
        own_photographs(tmp_path, LIMITS, SMALL)
