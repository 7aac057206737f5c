"""The first thread of a worker: finds work and sends it on its way, polling faster while there is some."""

from __future__ import annotations

import contextlib
import logging
import queue as queues
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import psycopg

from thanopg.errors import FingerprintMismatch, NotSupported, ThanopgError
from thanopg.models.library import LoadedModel, ModelLibrary
from thanopg.worker.claim import Claim, EmbeddingColumn
from thanopg.worker.draft import Drafts
from thanopg.worker.forward import Batch
from thanopg.worker.heartbeat import Heartbeat
from thanopg.worker.maker import Use, maker_of
from thanopg.worker.memory import Leftovers, find_trim
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.queue import WorkQueue
from thanopg.worker.recent import Recent
from thanopg.worker.reconciler import Reconciler

logger = logging.getLogger(__name__)

RECONNECT_PAUSE = 1.0
RIGHTS = (
    "; thanopg install, run as the table's owner, gives thanopg_worker what a worker needs; "
    "a trigger of yours that writes elsewhere needs a function that is SECURITY DEFINER, or rights for thanopg_worker"
)
BY_ITSELF = 2
"""lost leases after which a row is its worker's only one, so that it alone is to blame for the next"""


@dataclass
class _Watch:
    """What this worker knows of one column: how far it is reconciled, and when its model may be tried again."""

    reconciler: Reconciler
    not_before: float = float("-inf")


class Claimer:
    """Claims rows of every embedding column in turn."""

    def __init__(
        self,
        open_queue: Callable[[], WorkQueue],
        library: ModelLibrary,
        preparer: Preparer,
        options: WorkerOptions,
        heartbeat: Heartbeat,
        batches: queues.Queue[Batch | None],
    ) -> None:
        self._open_queue = open_queue
        self._library = library
        self._preparer = preparer
        self._options = options
        self._heartbeat = heartbeat
        self._batches = batches
        self._queue: WorkQueue | None = None
        self._announced = False
        self._watches: dict[int, _Watch] = {}
        self._recent: dict[Use, Recent] = {}
        self._refusals: dict[int, NotSupported | psycopg.Error] = {}
        self._abandoned: list[tuple[EmbeddingColumn, uuid.UUID]] = []
        self._swept = float("-inf")
        self._leftovers = Leftovers(find_trim())

    def refuse(self, column: EmbeddingColumn, refusal: NotSupported | psycopg.Error) -> None:
        """Heard from another thread: this column's model can't do what is asked of it, or it can't be written."""
        self._refusals[column.id] = refusal

    def connect(self) -> WorkQueue:
        if self._queue is None:
            self._queue = self._open_queue()
        return self._queue

    def close(self) -> None:
        if self._queue is not None:
            self._queue.close()
            self._queue = None
        self._announced = False

    def run(self, stop: threading.Event, *, once: bool) -> None:
        try:
            self._run(stop, once=once)
        finally:
            with contextlib.suppress(psycopg.Error):
                if self._queue is not None:
                    self._release_abandoned(self._queue)

    def _run(self, stop: threading.Event, *, once: bool) -> None:
        pause = self._options.shortest_poll
        while not stop.is_set():
            try:
                queue = self.connect()
                self._announce(queue)
                self._release_abandoned(queue)
                self._sweep(queue)
                columns = queue.columns()
                claimed = sum(self._try(queue, column, stop, once=once) for column in columns)
                if once and not claimed and not self._heartbeat.held and queue.settled():
                    return
            except (psycopg.Error, ThanopgError) as error:
                if once and not isinstance(error, psycopg.OperationalError):
                    raise
                logger.warning("the database does not answer: %s; trying again", str(error).splitlines()[0])
                self.close()
                stop.wait(RECONNECT_PAUSE)
                continue
            if claimed:
                self._leftovers.add()
            elif not self._heartbeat.held:
                self._leftovers.give_back()
            busy = claimed or any(self._watches[column.id].reconciler.under_way for column in columns)
            pause = self._options.shortest_poll if busy else min(pause * 2, self._options.longest_poll)
            if not claimed and once:
                self._heartbeat.wait_for_drop(stop, pause)  # the last batch ends the work
            elif not claimed:
                stop.wait(pause)

    def _announce(self, queue: WorkQueue) -> None:
        if not self._announced:
            queue.announce()
            self._announced = True

    def _try(self, queue: WorkQueue, column: EmbeddingColumn, stop: threading.Event, *, once: bool) -> int:
        """Claims of this column that were put on their way. What ails one column does not stop the others."""
        watch = self._watches.setdefault(column.id, _Watch(Reconciler(self._options)))
        if time.monotonic() < watch.not_before:
            return 0
        try:
            if (refusal := self._refusals.pop(column.id, None)) is not None:
                raise refusal
            watch.reconciler.turn(queue, column, stop, to_the_end=once)
            # a suspect row first, and only one of them, so that it does not stop the others
            return self._take_suspect(queue, column, stop) + self._take(queue, column)
        except psycopg.OperationalError:
            raise
        except (psycopg.Error, ThanopgError) as error:
            self._release_abandoned(queue)
            if once:
                raise
            watch.not_before = time.monotonic() + self._options.trouble_pause
            rights = RIGHTS if isinstance(error, psycopg.errors.InsufficientPrivilege) else ""
            logger.error("%s waits: %s%s", column.label, str(error).splitlines()[0], rights)
            return 0

    def _take_suspect(self, queue: WorkQueue, column: EmbeddingColumn, stop: threading.Event) -> int:
        """A worker that dies takes all its rows' leases along: a row lost again and again has one for itself."""
        with self._claimed(queue, column, alone=True) as claim:
            if not claim.rows or claim.rows[0].lost_leases < BY_ITSELF:
                return self._send(claim)
            queue.release(column, claim.token, claim.keys, backoff=timedelta(0))
        self._heartbeat.wait_until_idle(stop)
        with self._claimed(queue, column, alone=True) as claim:
            sent = self._send(claim)
        self._heartbeat.wait_until_idle(stop)
        return sent

    def _take(self, queue: WorkQueue, column: EmbeddingColumn) -> int:
        with self._claimed(queue, column, alone=False) as claim:
            return self._send(claim)

    @contextlib.contextmanager
    def _claimed(self, queue: WorkQueue, column: EmbeddingColumn, *, alone: bool) -> Iterator[Claim]:
        """A claim; if it does not get on its way, whatever the reason, its rows are given back."""
        token = uuid.uuid4()
        try:
            yield queue.claim(
                column, token, size=self._options.batch_size, lease=timedelta(seconds=self._options.lease), alone=alone
            )
        except Exception:
            self._abandoned.append((column, token))
            raise

    def _send(self, claim: Claim) -> int:
        if not claim.rows:
            return 0
        self._heartbeat.hold(claim)  # loading a model may take longer than a lease
        try:
            batch = self._batch(claim, self._model(claim.column))
        except Exception:
            self._heartbeat.drop(claim)
            raise
        self._batches.put(batch)
        return 1

    def _release_abandoned(self, queue: WorkQueue) -> None:
        """An error between a claim and its batch is no row's fault: without this, its lease would count as lost."""
        while self._abandoned:
            column, token = self._abandoned[-1]
            queue.release(column, token, None, backoff=timedelta(0))
            self._abandoned.pop()

    def _sweep(self, queue: WorkQueue) -> None:
        if time.monotonic() - self._swept >= self._options.reconcile_every:
            queue.forget_dropped()
            self._swept = time.monotonic()

    def _model(self, column: EmbeddingColumn) -> LoadedModel:
        model = self._library.get(column.model_source)
        if model.info.fingerprint != column.fingerprint:
            raise FingerprintMismatch(
                f"{column.label} holds vectors of fingerprint {column.fingerprint[:12]}, "
                f"{column.model_source} has {model.info.fingerprint[:12]}"
            )
        return model

    def _batch(self, claim: Claim, model: LoadedModel) -> Batch:
        maker = maker_of(claim.column, model)
        recent = self._recent.setdefault(maker.use, Recent())
        drafts = Drafts(model) if claim.column.kind == "image" and not self._options.exact else None
        futures = [
            self._preparer.submit(row, maker.preprocessing, known=recent.__contains__, drafts=drafts)
            for row in claim.rows
        ]
        return Batch(claim=claim, maker=maker, recent=recent, futures=futures)
