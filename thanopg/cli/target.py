"""Which database a verb works on: the one that is named, or the embedded server's of the home."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from thanopg.config import Settings, command_for
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable, InvalidArgument


def database_url(settings: Settings) -> str:
    """Raises DatabaseUnavailable when none is named and the embedded server does not run, ServerStartError."""
    return settings.database_url or _running_server(settings).url


def worker_url(settings: Settings) -> str:
    """The same for a worker, which in a home of ours owns nothing."""
    return settings.database_url or _running_server(settings).worker_url


def _running_server(settings: Settings) -> EmbeddedServer:
    server = EmbeddedServer(settings.home)
    if not server.running:
        raise DatabaseUnavailable(
            f"the server of {settings.home} is not running",
            hint=f"start it with: {command(settings, 'up --detach')}; or name another database: --database-url",
        )
    return server


def image_root(settings: Settings) -> Path:
    """Raises InvalidArgument when it is no directory."""
    if not settings.image_root.is_dir():
        raise InvalidArgument(
            f"the image root {settings.image_root} is not a directory",
            hint="name the one that the paths in your tables are relative to: --image-root",
        )
    return settings.image_root


def command(settings: Settings, verb: str) -> str:
    """How to call a verb for this home, as people can paste it."""
    return shlex.quote(program()) + command_for(settings.home, verb).removeprefix("thanopg")


def program() -> str:
    """`thanopg`, or the path it was called by where that alone would not find it."""
    called = sys.argv[0]
    if Path(called).name != "thanopg":  # python -m thanopg
        return "thanopg"
    found = shutil.which("thanopg")
    return "thanopg" if found and Path(found).resolve() == Path(called).resolve() else called
