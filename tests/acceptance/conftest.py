"""One demo for the whole session, and its home brought up again: the shop that the README's examples are about."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import run, succeed
from tests.databases import make_home

DEMO_PICTURES = 250


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A home with something of the user's in it."""
    path = make_home()
    (path / "keep").write_text("mine")
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def demo(place: Path) -> subprocess.CompletedProcess[str]:
    """`thanopg demo`, over."""
    return run("demo", "--home", place, "--pictures", str(DEMO_PICTURES))


@pytest.fixture(scope="session")
def shop(demo: subprocess.CompletedProcess[str], place: Path) -> Iterator[Path]:
    """The demo's home, running."""
    assert demo.returncode == 0, demo.stderr
    home = place / "demo"
    succeed("up", "--detach", "--home", home, "--image-root", home / "catalogue")
    yield home
    succeed("down", "--home", home)
