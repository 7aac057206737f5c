"""Below the root and nowhere else, also while somebody exchanges directories for links."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.source import ImageReader

INSIDE, OUTSIDE = b"inside", b"the secret of another directory"
READS = 400


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
