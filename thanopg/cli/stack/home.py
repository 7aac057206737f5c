"""A home that a stack can live in: made, and with a place for logs."""

from __future__ import annotations

from pathlib import Path

from thanopg.database.account import server_account
from thanopg.database.server import EmbeddedServer


def make_home(path: Path) -> None:
    """Again is fine. Raises ServerStartError."""
    home = EmbeddedServer(path).home
    home.make(server_account(home.data))
    (path / "log").mkdir(mode=0o700, exist_ok=True)
