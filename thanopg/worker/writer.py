"""The last thread of a worker: settles claims. When the database goes away it waits for it, while the leases last."""

from __future__ import annotations

import logging
import queue as queues
import time
from collections.abc import Callable

import psycopg

from thanopg.errors import ThanopgError
from thanopg.worker.forward import Outcome
from thanopg.worker.heartbeat import Heartbeat
from thanopg.worker.queue import WorkQueue
from thanopg.worker.settle import Tally, settle

logger = logging.getLogger(__name__)

RECONNECT_PAUSE = 1.0


class Writer:
    """Settles outcomes in the order they come."""

    def __init__(
        self,
        open_queue: Callable[[], WorkQueue],
        heartbeat: Heartbeat,
        tally: Tally,
        *,
        patience: float,
    ) -> None:
        self._open_queue = open_queue
        self._heartbeat = heartbeat
        self._tally = tally
        self._patience = patience
        self._queue: WorkQueue | None = None

    def run(self, outcomes: queues.Queue[Outcome | None]) -> None:
        while (outcome := outcomes.get()) is not None:
            try:
                self._settle(outcome)
            finally:
                self._heartbeat.drop(outcome.claim)
        if self._queue is not None:
            self._queue.close()

    def _settle(self, outcome: Outcome) -> None:
        """Trying again is safe: what was written has lost its token."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._queue = self._queue or self._open_queue()
                if outcome.backoff is not None:
                    claim = outcome.claim
                    self._queue.release(claim.column, claim.token, claim.keys, backoff=outcome.backoff)
                else:
                    settle(self._queue, outcome.claim, outcome.written, outcome.prepared, self._tally)
                return
            except (psycopg.Error, ThanopgError) as error:
                logger.warning("could not write a batch: %s", str(error).splitlines()[0])
                if self._queue is not None:
                    self._queue.close()
                self._queue = None
                gone = isinstance(error, (psycopg.OperationalError, ThanopgError))
                if not gone or time.monotonic() > deadline:
                    return  # the leases run out, and the rows are claimed again
                time.sleep(RECONNECT_PAUSE)
