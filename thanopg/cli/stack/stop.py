"""Stopping a home from outside: the supervisor, then whatever it could not stop itself."""

from __future__ import annotations

from pathlib import Path

from thanopg.cli.stack.state import StateFile, is_held
from thanopg.database.server import EmbeddedServer
from thanopg.errors import ServerStartError

SUPERVISOR_SECONDS = 90.0
"""longer than it needs for children and server together"""


def stop_home(home: Path) -> bool:
    """Was anything running? Bounded; works on what is left by a crash. Raises ServerStartError."""
    file = StateFile(home)
    state = file.read()
    stopped = False
    if state is not None and is_held(home) and state.supervisor.alive:
        stopped = True
        state.supervisor.end(patience=SUPERVISOR_SECONDS)
    for child in state.children.values() if state is not None else ():
        if child.alive:
            stopped = True
            child.end()
    if is_held(home):
        raise ServerStartError(f"another process holds {home}", hint="a thanopg up is just starting: try again")
    server = EmbeddedServer(home)
    if server.running:
        stopped = True
        server.stop()
    file.remove()
    return stopped
