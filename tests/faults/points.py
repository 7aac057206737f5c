"""Named steps of the worker's loop at which the harness lets a worker die or freeze.

A worker has no hooks of its own for this: everything it does to the world outside goes through what it is given (queue,
reader, model), and these wrap exactly that. Without them nothing is there that could cost anything.
"""

from __future__ import annotations

import os
import signal
import threading
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from thanopg.errors import ImageError
from thanopg.images.source import ImageBytes, ImageReader
from thanopg.worker.claim import ClaimedRow, EmbeddingColumn, Key, Leased, Written
from thanopg.worker.queue import WorkQueue

POINTS = (
    "before lease",
    "leased",
    "sources read",
    "picture read",
    "before model",
    "after model",
    "before finish",
    "finished",
    "before fail",
    "failed",
    "forgotten",
    "released",
    "extended",
    "reconciled",
)
Reach = Callable[[str], None]


class Points:
    """`Points("leased:3:KILL")`: at the third passage of that step the process sends itself SIGKILL."""

    def __init__(self, armed: str) -> None:
        self._name, count, name = armed.split(":") if armed else ("", "0", "")
        self._left = int(count)
        self._signal = signal.Signals[f"SIG{name}"] if name else None
        self._lock = threading.Lock()

    def reach(self, name: str) -> None:
        if name != self._name or self._signal is None:
            return
        with self._lock:
            self._left -= 1
            now = self._left == 0
        if now:
            os.kill(os.getpid(), self._signal)
            if self._signal == signal.SIGKILL:
                threading.Event().wait()  # no line of ours runs after this one


class PointedQueue(WorkQueue):
    """The real queue, saying where it is."""

    def __init__(self, url: str, reach: Reach) -> None:
        super().__init__(url)
        self._reach = reach

    def lease(
        self, column: EmbeddingColumn, token: uuid.UUID, *, size: int, lease: timedelta, alone: bool
    ) -> tuple[Leased, ...]:
        self._reach("before lease")
        leased = super().lease(column, token, size=size, lease=lease, alone=alone)
        if leased:
            self._reach("leased")
        return leased

    def read(self, column: EmbeddingColumn, leased: Sequence[Leased]) -> tuple[ClaimedRow, ...]:
        rows = super().read(column, leased)
        self._reach("sources read")
        return rows

    def finish(self, column: EmbeddingColumn, token: uuid.UUID, rows: Sequence[Written]) -> list[Key]:
        self._reach("before finish")
        stored = super().finish(column, token, rows)
        self._reach("finished")
        return stored

    def fail(
        self,
        column: EmbeddingColumn,
        token: uuid.UUID,
        row: ClaimedRow,
        fault: ImageError,
        *,
        retry_after: timedelta | None,
        clear_vector: bool,
    ) -> bool:
        self._reach("before fail")
        recorded = super().fail(column, token, row, fault, retry_after=retry_after, clear_vector=clear_vector)
        self._reach("failed")
        return recorded

    def forget(
        self,
        column: EmbeddingColumn,
        token: uuid.UUID,
        keys: Sequence[Key],
        etags: Sequence[str | None] | None = None,
    ) -> int:
        forgotten = super().forget(column, token, keys, etags)
        self._reach("forgotten")
        return forgotten

    def release(
        self, column: EmbeddingColumn, token: uuid.UUID, keys: Collection[Key] | None, *, backoff: timedelta
    ) -> int:
        released = super().release(column, token, keys, backoff=backoff)
        self._reach("released")
        return released

    def extend(self, column: EmbeddingColumn, token: uuid.UUID, keys: Sequence[Key], *, lease: timedelta) -> int:
        extended = super().extend(column, token, keys, lease=lease)
        self._reach("extended")
        return extended

    def reconcile(
        self, column: EmbeddingColumn, *, deep: bool, first: int | None = None, number: int | None = None
    ) -> int | None:
        queued = super().reconcile(column, deep=deep, first=first, number=number)
        self._reach("reconciled")
        return queued


class PointedReader:
    """The real reader, saying when it has read."""

    def __init__(self, reader: ImageReader, reach: Reach) -> None:
        self._reader = reader
        self._reach = reach

    def read(self, source: str | bytes) -> ImageBytes:
        image = self._reader.read(source)
        self._reach("picture read")
        return image
