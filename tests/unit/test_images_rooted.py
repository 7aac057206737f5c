"""Below the root and nowhere else, also while somebody exchanges directories for links."""

from __future__ import annotations

import os
import stat
import threading
import unicodedata
from pathlib import Path

import pytest

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.rooted import spellings
from thanopg.images.source import ImageReader

INSIDE, OUTSIDE = b"inside", b"the secret of another directory"
READS = 400
COMPOSED = "빨간 원피스.jpg"
LETTERS = unicodedata.normalize("NFD", COMPOSED)


def test_a_directory_exchanged_for_a_link_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for directory, content in ((root / "real", INSIDE), (outside, OUTSIDE)):
        directory.mkdir(parents=True)
        (directory / "a.jpg").write_bytes(content)
    (root / "sub").symlink_to("real")
    over = threading.Event()

    def exchange() -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            made = root / f".link{turn % 2}"
            made.unlink(missing_ok=True)
            made.symlink_to("real" if turn % 2 else outside)
            made.replace(root / "sub")

    thread = threading.Thread(target=exchange)
    thread.start()
    reader = ImageReader(root, ImageLimits())
    came = set()
    try:
        for _ in range(READS):
            try:
                came.add(reader.read("sub/a.jpg").data)
            except ImageError as error:
                came.add(error.fault.encode())
    finally:
        over.set()
        thread.join(10)
    assert OUTSIDE not in came
    assert came <= {INSIDE, b"forbidden", b"missing"}


def test_a_device_below_the_root_is_refused(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(ImageError, match="expected a regular file"):
        ImageReader(tmp_path, ImageLimits()).read("zero")


@pytest.mark.parametrize("path", ["../outside/{}", "link/{}", "{root}/../outside/{}", "sub/../../outside/{}/x"])
def test_what_is_said_of_the_outside_does_not_depend_on_what_is_there(tmp_path: Path, path: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "sub").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    (outside / "directory").mkdir(parents=True)
    (outside / "file.jpg").write_bytes(OUTSIDE)
    (outside / "closed").mkdir(mode=0)
    os.mkfifo(outside / "fifo")
    reader = ImageReader(root, ImageLimits())
    said = set()
    for name in ("file.jpg", "directory", "closed", "closed/x", "fifo", "nothing"):
        with pytest.raises(ImageError) as caught:
            reader.read(path.format(name, root=root))
        said.add((caught.value.fault, caught.value.message))
    assert said == {("forbidden", "the path leads outside the image root")}


@pytest.mark.parametrize(("stored", "asked"), [(COMPOSED, LETTERS), (LETTERS, COMPOSED)], ids=["composed", "letters"])
def test_the_other_form_of_a_name_is_held_to_the_root_too(tmp_path: Path, stored: str, asked: str) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for directory in (root, outside):
        (directory / "sub").mkdir(parents=True)
    (outside / stored).write_bytes(OUTSIDE)
    (root / stored).symlink_to(outside / stored)
    (root / "sub" / stored).symlink_to(outside)
    os.mkfifo(root / "sub" / f"1 {stored}")
    reader = ImageReader(root, ImageLimits())
    for path in (asked, f"{root}/{asked}", f"sub/{asked}/{asked}", f"../outside/{asked}", f"{outside}/{asked}"):
        with pytest.raises(ImageError) as caught:
            reader.read(path)
        assert (caught.value.fault, caught.value.message) == ("forbidden", "the path leads outside the image root")
    with pytest.raises(ImageError, match="expected a regular file"):
        reader.read(f"sub/1 {asked}")


def test_a_name_as_written_goes_before_its_other_form(tmp_path: Path) -> None:
    (tmp_path / COMPOSED).write_bytes(INSIDE)
    (tmp_path / LETTERS).write_bytes(b"another file")
    reader = ImageReader(tmp_path, ImageLimits())
    assert (reader.read(COMPOSED).data, reader.read(LETTERS).data) == (INSIDE, b"another file")
    (tmp_path / COMPOSED).unlink()
    (tmp_path / COMPOSED).symlink_to(COMPOSED)
    with pytest.raises(ImageError, match="leads nowhere"):  # it is there: no other file takes its place
        reader.read(COMPOSED)


def test_letters_too_long_for_a_file_name_are_missing(tmp_path: Path) -> None:
    name = "원" * 80 + ".jpg"
    reader = ImageReader(tmp_path, ImageLimits())
    with pytest.raises(ImageError, match="no such file"):
        reader.read(name)
    (tmp_path / name).write_bytes(INSIDE)
    assert reader.read(unicodedata.normalize("NFD", name)).data == INSIDE


def test_other_forms_of_plain_names_are_not_looked_for(tmp_path: Path) -> None:
    assert list(spellings("sub/a.jpg", tmp_path)) == []
    assert set(spellings(COMPOSED, tmp_path)) == {COMPOSED, LETTERS, str(tmp_path / COMPOSED)}
