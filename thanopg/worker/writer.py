"""The last thread of a worker: settles claims. When the database goes away it waits for it, while the leases last."""

from __future__ import annotations

import contextlib
import logging
import queue as queues
import time
from collections.abc import Callable

import psycopg

from thanopg.errors import ThanopgError
from thanopg.worker.claim import EmbeddingColumn
from thanopg.worker.forward import Outcome
from thanopg.worker.heartbeat import Heartbeat
from thanopg.worker.queue import WorkQueue
from thanopg.worker.rate import Busy, Rated, Rates
from thanopg.worker.settle import SURROUNDINGS_BACKOFF, Tally, settle

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
        refuse: Callable[[EmbeddingColumn, psycopg.Error], None],
    ) -> None:
        """`refuse` hears why a column can't be written at all: that is no row's fault."""
        self._open_queue = open_queue
        self._heartbeat = heartbeat
        self._tally = tally
        self._patience = patience
        self._refuse = refuse
        self._queue: WorkQueue | None = None
        self._rates = Rates(self._note)

    def run(self, outcomes: queues.Queue[Outcome | None]) -> None:
        while (outcome := outcomes.get()) is not None:
            try:
                self._settle(outcome)
            except Exception:  # one batch that nobody thought of must not stop the others
                logger.exception("could not write a batch of %s", outcome.claim.column.label)
                self._give_back(outcome)
            finally:
                self._heartbeat.drop(outcome.claim)
        self._rates.flush()
        self._close()

    def _settle(self, outcome: Outcome) -> None:
        """Trying again is safe: what was written has lost its token."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._queue = self._queue or self._open_queue()
                if outcome.backoff is not None:
                    claim = outcome.claim
                    self._queue.release(claim.column, claim.token, claim.keys, backoff=outcome.backoff)
                    self._rates.given_back()
                else:
                    settle(self._queue, outcome.claim, outcome.written, outcome.prepared, self._tally)
                    self._rates.done(outcome.claim, len(outcome.written))
                return
            except (psycopg.Error, ThanopgError) as error:
                logger.warning("could not write a batch: %s", str(error).splitlines()[0])
                gone = isinstance(error, (psycopg.OperationalError, ThanopgError))
                if isinstance(error, psycopg.Error) and not gone:
                    self._refuse(outcome.claim.column, error)
                if not gone or time.monotonic() > deadline:
                    self._give_back(outcome)
                    return
                self._close()
                time.sleep(RECONNECT_PAUSE)

    def _note(self, rated: Rated, busy: Busy) -> None:
        """An estimate for people is worth no trouble of the worker's."""
        try:
            if self._queue is not None:
                self._queue.note_rate(rated.fingerprint, rated.kind, rows=busy.rows, seconds=busy.seconds)
        except psycopg.Error as error:
            logger.info("could not note a rate: %s", str(error).splitlines()[0])

    def _give_back(self, outcome: Outcome) -> None:
        """It was no row's fault: their leases are not to run out, which would count against them."""
        self._rates.given_back()
        claim = outcome.claim
        with contextlib.suppress(psycopg.Error, ThanopgError):
            self._queue = self._queue or self._open_queue()
            self._queue.release(claim.column, claim.token, None, backoff=SURROUNDINGS_BACKOFF)
            return
        self._close()

    def _close(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None
