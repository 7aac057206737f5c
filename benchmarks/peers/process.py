"""A peer in a process of its own: `protocol` as it is spoken from our side, with an end to every wait."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from benchmarks.measure import LeftOut
from benchmarks.peers.install import ROOT, last_error, peer_environment
from thanopg.models.embedder import Vectors

START_SECONDS = 180.0
CALL_SECONDS = 60.0
PICTURE_SECONDS = 2.0
"""on top, for each picture"""


class PeerFailed(LeftOut):
    """The peer can't go on; the message says why in one line."""


class Answer(NamedTuple):
    seconds: float
    """as the peer has measured them"""
    vectors: Vectors


class PeerProcess:
    """Started with its model loaded. Whatever goes wrong ends it, with its children, and raises PeerFailed."""

    def __init__(self, command: Sequence[str | Path], directory: Path, *, start_seconds: float = START_SECONDS) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._vectors = directory / "vectors.npy"
        self._log = directory / "log.txt"
        self._rest = b""
        self._ended = "closed"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                cwd=ROOT,
                env=peer_environment(),
                start_new_session=True,  # a group of its own, so that its children end with it
            )
        try:
            self._answer(start_seconds, "loading its model")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def embed(self, pictures: Path, count: int, batch: int, *, seconds: float | None = None) -> Answer:
        """Vectors of the `count` files in `pictures`, in the order of their names, within so many seconds."""
        if self._process.returncode is not None:
            raise PeerFailed(self._ended)
        self._vectors.unlink(missing_ok=True)
        asked = {"pictures": str(pictures), "batch": batch, "vectors": str(self._vectors)}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        except OSError:
            raise self._failed(f"ended while nobody asked: {self._last_line()}") from None
        limit = CALL_SECONDS + PICTURE_SECONDS * count if seconds is None else seconds
        answer = self._answer(limit, f"making vectors of {count} pictures")
        vectors: Vectors = np.load(self._vectors)
        if len(vectors) != count:
            raise self._failed(f"made {len(vectors)} vectors of {count} pictures")
        return Answer(seconds=answer["seconds"], vectors=vectors)

    def close(self) -> None:
        """Ends the process and what it has started. Not twice: its number may be somebody else's by then."""
        if self._process.returncode is not None:
            return
        assert self._process.stdin is not None and self._process.stdout is not None
        os.killpg(self._process.pid, signal.SIGKILL)  # it is there, if only as a zombie: nobody has waited for it
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, seconds: float, doing: str) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            line = self._line(end)
            if line is None:
                raise self._failed(f"hung {doing}: no answer in {seconds:g} seconds")
            if not line:
                raise self._failed(f"died {doing}: {self._last_line()}")
            if line.startswith(b"{"):  # other lines are what some module prints while it is imported
                break
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise self._failed(f"failed {doing}: {answer['error']}")
        return answer

    def _line(self, end: float) -> bytes | None:
        """None when there was none in time, empty when there will be none."""
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            if not select.select([self._process.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            if not (read := os.read(self._process.stdout.fileno(), 65536)):
                return b""
            self._rest += read
        line, end_of_line, self._rest = self._rest.partition(b"\n")
        return line + end_of_line

    def _last_line(self) -> str:
        return last_error(self._log.read_text(errors="replace").replace("\r", "\n"))

    def _failed(self, reason: str) -> PeerFailed:
        self.close()
        self._ended = reason
        return PeerFailed(reason)
