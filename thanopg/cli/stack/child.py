"""One child process of the stack: `python -m thanopg <verb>`, started again with growing pauses when it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from thanopg.cli.stack.state import Identity

STOP_SECONDS = 20.0
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
CALM_SECONDS = 60.0
"""after so long without an end, the pauses begin small again"""
LARGEST_LOG = 10 * 1024 * 1024
PACKAGE_PARENT = Path(__file__).resolve().parents[3]


@dataclass
class Child:
    """Ends with us, even when we are killed: its standard input then ends."""

    name: str
    arguments: Sequence[str]
    log: Path | None
    """None: it talks on our stderr"""
    more: Callable[[], Sequence[str]] = tuple
    """further arguments, asked for at every start"""
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    pause: float = SHORTEST_PAUSE
    next_start: float = field(default=0.0)
    log_begin: int = 0

    def start(self) -> None:
        with contextlib.ExitStack() as stack:
            out: IO[bytes] | None = None
            if self.log is not None:
                rotate(self.log)
                out = stack.enter_context(self.log.open("ab"))
                self.log_begin = out.tell()
            self.process = subprocess.Popen(
                command_line([*self.arguments, *self.more(), "--until-stdin-closes"]),
                stdin=subprocess.PIPE,
                stdout=out if out is not None else sys.stderr.fileno(),
                stderr=out,
                env=environment(),
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        self.began = time.monotonic()

    @property
    def identity(self) -> Identity | None:
        return Identity.of(self.process.pid) if self.process is not None and self.process.poll() is None else None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def look_after(self) -> str | None:
        """Start it again if it has ended and its pause is over; what there is to say about that."""
        if self.running:
            return None
        if self.process is not None:
            code = self.process.returncode
            self._forget()
            if time.monotonic() - self.began > CALM_SECONDS:
                self.pause = SHORTEST_PAUSE
            self.next_start = time.monotonic() + self.pause
            said = f"the {self.name} {ending(code)}; starting it again in {self.pause:.0f} s"
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
            return said + (f" (log: {self.log})" if self.log else "")
        if time.monotonic() >= self.next_start:
            self.start()
            return f"the {self.name} has been started again"
        return None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Bounded: asked first, then killed."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self._forget()

    def last_words(self) -> str:
        """What it wrote since its last start, to explain its end."""
        if self.log is None:
            return ""
        with self.log.open("rb") as file:
            file.seek(self.log_begin)
            return file.read(LARGEST_LOG).decode(errors="replace")

    def _forget(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()
        self.process = None


def command_line(arguments: Sequence[str]) -> list[str]:
    """-P: a file of the current directory must not pass for a module."""
    return [sys.executable, "-P", "-m", "thanopg", *arguments]


def environment() -> dict[str, str]:
    """Ours, without what the arguments decide, and with the place where this very thanopg is."""
    kept = {name: value for name, value in os.environ.items() if name != "THANOPG_DATABASE_URL"}
    if str(PACKAGE_PARENT) not in (path for path in sys.path if path.endswith("site-packages")):
        paths = [str(PACKAGE_PARENT), *filter(None, [kept.get("PYTHONPATH")])]
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return {**kept, "PYTHONUNBUFFERED": "1"}


def ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
