"""The command `thanopg` as a user runs it: another process, with an environment of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120.0


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("THANOPG_", "PG"))}
    return {**kept, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **more}


def command_line(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "thanopg", *map(str, arguments)]


def run(*arguments: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """To its end, whatever that is. Keyword arguments are environment variables."""
    return subprocess.run(
        command_line(*arguments),
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def succeed(*arguments: str | Path, **more: Any) -> str:
    """Its stdout; an assertion with its stderr if it fails."""
    done = run(*arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(*arguments: str | Path) -> Any:
    return json.loads(run("status", "--json", *arguments).stdout)


def wait_for(what: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """The first true answer."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return answer


def hear_ctrl_c() -> None:
    """`preexec_fn`: a test run in the background ignores SIGINT, and what it starts would inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
