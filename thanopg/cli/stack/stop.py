"""Stopping a home from outside: the supervisor, then whatever it could not stop itself."""

from __future__ import annotations

import signal
from pathlib import Path

from thanopg.cli.stack.stack import end_process
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
        state.supervisor.signal(signal.SIGTERM)
        if not state.supervisor.wait(SUPERVISOR_SECONDS):
            end_process(state.supervisor)
    for child in state.children.values() if state is not None else ():
        if child.alive:
            stopped = True
            end_process(child)
    if is_held(home):
        raise ServerStartError(f"another process holds {home}", hint="a thanopg up is just starting: try again")
    server = EmbeddedServer(home)
    if server.running:
        stopped = True
        server.stop()
    file.remove()
    return stopped
