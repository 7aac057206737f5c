"""Looks for what triggers did not see, a few blocks of a table at a time, so that claims never wait for it for long.

A pass goes through the whole table. However large that is, passes take a small part of a worker's time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from thanopg.worker.claim import EmbeddingColumn
from thanopg.worker.options import WorkerOptions
from thanopg.worker.queue import WorkQueue

TURN_SECONDS = 0.25
"""for one column between two claims"""
SHORT, LONG = 0.05, 0.2
"""seconds that one call may take: below, the next one takes twice as many blocks, above, half as many"""
FIRST_BLOCKS = 16
REST = 50
"""after a pass, so many times as long as it took: at most two hundredths of the time"""


@dataclass
class _Pass:
    deep: bool
    blocks: int
    done: int = 0
    step: int = FIRST_BLOCKS
    seconds: float = 0.0


class Reconciler:
    """Of one embedding column."""

    def __init__(self, options: WorkerOptions) -> None:
        self._every = options.reconcile_every
        self._deep_every = options.deep_reconcile_every
        self._due = float("-inf")
        self._deep_due = float("-inf")
        self._pass: _Pass | None = None

    @property
    def under_way(self) -> bool:
        return self._pass is not None

    def turn(self, queue: WorkQueue, column: EmbeddingColumn, stop: threading.Event, *, to_the_end: bool) -> None:
        """Begin a pass when it is time, and go on with the one under way. Raises psycopg.Error."""
        if self._pass is None:
            self._pass = self._begin(queue, column)
        if self._pass is None:
            return
        now, passing = time.monotonic(), self._pass
        until = float("inf") if to_the_end else now + TURN_SECONDS
        try:
            while passing.done <= passing.blocks and not stop.is_set():
                if now > until:
                    return
                queued = queue.reconcile(column, deep=passing.deep, first=passing.done, number=passing.step)
                now, before = time.monotonic(), now
                passing.seconds += now - before
                passing.done = passing.done + passing.step if queued is not None else passing.blocks + 1
                if now - before < SHORT:
                    passing.step *= 2
                elif now - before > LONG:
                    passing.step = max(1, passing.step // 2)
        except BaseException:
            self._pass = None
            raise
        self._pass = None
        rest = now + REST * passing.seconds
        self._due = max(self._due, rest)
        if passing.deep:
            self._deep_due = max(self._deep_due, rest)

    def _begin(self, queue: WorkQueue, column: EmbeddingColumn) -> _Pass | None:
        now = time.monotonic()
        deep = now >= self._deep_due
        if not deep and now < self._due:
            return None
        if deep:
            queue.mend(column)
            self._deep_due = now + self._deep_every
        self._due = now + self._every
        return _Pass(deep=deep, blocks=queue.blocks(column, deep=deep))
