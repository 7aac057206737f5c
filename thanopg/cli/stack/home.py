"""A home that a stack can live in: made, with a place for logs; and what its server said before it ended."""

from __future__ import annotations

from pathlib import Path

from thanopg.database.account import server_account
from thanopg.database.failure import failure_of
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable

TAIL = 64 * 1024


def make_home(path: Path) -> None:
    """Again is fine. Raises ServerStartError."""
    home = EmbeddedServer(path).home
    home.make(server_account(home.data))
    (path / "log").mkdir(mode=0o700, exist_ok=True)


def server_ended(path: Path) -> DatabaseUnavailable:
    """Why a connection to the server of this home was lost, as far as its log knows."""
    log = EmbeddedServer(path).home.log
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        said = failure_of(file.read().decode(errors="replace"), path)
    return DatabaseUnavailable(f"the server ended: {said.message.partition(': ')[2]}", hint=said.hint)
