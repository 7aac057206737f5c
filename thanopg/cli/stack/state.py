"""What runs in a home: a lock held as long as the supervisor lives, and a file that names its processes.

A process is recognised by its number and the time it began, so a stale file never points at a stranger.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from thanopg.config import command_for
from thanopg.errors import AlreadyRunning, ServerStartError

CLOCK_STEP = 2.0
"""seconds by which the same process may seem to have begun at another time"""
POLL_SECONDS = 0.05
END_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Identity:
    pid: int
    began: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Raises psutil.NoSuchProcess."""
        return cls(pid=pid, began=float(psutil.Process(pid).create_time()))

    @property
    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            began = float(process.create_time())
            return abs(began - self.began) < CLOCK_STEP and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def signal(self, number: signal.Signals) -> None:
        """Raises ServerStartError for another user's process."""
        if not self.alive:
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise ServerStartError(
                f"process {self.pid} belongs to another user", hint="stop it as the user who started it"
            ) from error

    def wait(self, seconds: float) -> bool:
        """Has it ended within that time?"""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def end(self, *, patience: float = END_SECONDS) -> None:
        """Asked first, killed when that takes too long. Raises ServerStartError."""
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, END_SECONDS)):
            self.signal(number)
            if self.wait(seconds):
                return
        raise ServerStartError(f"process {self.pid} does not end", hint="look at it with: ps")


@dataclass(frozen=True, kw_only=True)
class State:
    supervisor: Identity
    children: dict[str, Identity] = field(default_factory=dict)
    image_root: str = ""
    ready: bool = False
    doing: str = ""
    """what it is starting, in words"""


class StateFile:
    """`stack.json` in a home."""

    def __init__(self, home: Path) -> None:
        self.path = home / "stack.json"

    def read(self) -> State | None:
        """None when there is none, or none that can be read."""
        try:
            found = json.loads(self.path.read_text())
            return State(
                supervisor=Identity(**found["supervisor"]),
                children={name: Identity(**child) for name, child in found["children"].items()},
                image_root=str(found["image_root"]),
                ready=bool(found["ready"]),
                doing=str(found.get("doing", "")),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, state: State) -> None:
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps(_as_json(state)))
        half.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _as_json(state: State) -> dict[str, Any]:
    return {
        "supervisor": vars(state.supervisor),
        "children": {name: vars(child) for name, child in state.children.items()},
        "image_root": state.image_root,
        "ready": state.ready,
        "doing": state.doing,
    }


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Be the one supervisor of this home, which exists. Raises AlreadyRunning."""
    descriptor = os.open(home / "stack.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            state = StateFile(home).read()
            who = f", as process {state.supervisor.pid}" if state and state.supervisor.alive else ""
            raise AlreadyRunning(
                f"thanopg is already running on {home}{who}",
                hint=f"stop it with: {command_for(home, 'down')}",
            ) from None
        yield
    finally:
        os.close(descriptor)


def is_held(home: Path) -> bool:
    """Does a supervisor of this home live?"""
    if not (home / "stack.lock").exists():
        return False
    with suppress(AlreadyRunning), hold(home):
        return False
    return True
