"""Is there a server of this data directory, and does it accept connections? Read from its pid file and the process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

PORT_LINE, STATUS_LINE = 3, 7  # counted from 0; see utils/pidfile.h of PostgreSQL


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    pid: int
    port: int | None
    status: str
    """starting, ready, standby or stopping; empty for the first moments"""

    @property
    def ready(self) -> bool:
        return self.status == "ready"


def recorded_pid(data: Path) -> int | None:
    """What postmaster.pid says, true or stale."""
    lines = _read(data)
    return int(lines[0]) if lines and lines[0].isdecimal() else None


def find_postmaster(data: Path) -> Postmaster | None:
    """The living server of this directory. A stale file, or a process of another kind with its number, is none."""
    pid = recorded_pid(data)
    if pid is None or not _is_server_of(pid, data):
        return None
    lines = _read(data)
    port = lines[PORT_LINE].strip() if len(lines) > PORT_LINE else ""
    status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
    return Postmaster(pid=pid, port=int(port) if port.isdecimal() else None, status=status)


def _read(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:  # not there, or not ours to read
        return []


def _is_server_of(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        try:
            return Path(process.cwd()) == data.resolve()  # a server works inside its data directory
        except psutil.AccessDenied:
            return str(process.name()) == "postgres"
    except psutil.NoSuchProcess:
        return False
