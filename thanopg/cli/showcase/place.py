"""The demo's own home: recognised by a marker, emptied only when an earlier demo made it and nothing runs there."""

from __future__ import annotations

import shutil
from pathlib import Path

from thanopg.cli.stack.home import make_home
from thanopg.database.server import EmbeddedServer
from thanopg.errors import InvalidArgument

MARKER = "made-by-thanopg-demo"
KEPT = (MARKER, "stack.lock")


def place_of(home: Path) -> Path:
    """The folder demo of the user's home, or the home itself if that is a demo's already."""
    return home if (home / MARKER).exists() else home / "demo"


def claim(home: Path) -> None:
    """Make it the demo's, before it is locked. Raises InvalidArgument when it holds something else."""
    if home.is_dir() and any(home.iterdir()) and not (home / MARKER).exists():
        raise InvalidArgument(f"{home} was not made by a demo", hint="move it away, or choose another --home")
    make_home(home)
    (home / MARKER).write_text("thanopg demo empties this directory when it is run again\n")


def empty(home: Path) -> None:
    """Under the home's lock: end a server that a killed demo has left, and take its files away."""
    server = EmbeddedServer(home)
    server.stop()
    socket_directory = server.socket_directory
    for path in sorted(home.iterdir()):
        if path.name not in KEPT:
            remove(path)
    if socket_directory.exists():
        remove(socket_directory)
    make_home(home)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
