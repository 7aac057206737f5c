"""The worker: three threads in a row, claim → embed → write, with bounded queues between them.

While one batch is written the next is embedded and the one after it is read and decoded. Killed at any line, it leaves
leases that run out and nothing else.
"""

from __future__ import annotations

import queue as queues
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from thanopg.models.library import ModelLibrary
from thanopg.worker.claimer import Claimer
from thanopg.worker.forward import Batch, Outcome, forward
from thanopg.worker.heartbeat import Heartbeat
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.queue import WorkQueue
from thanopg.worker.settle import Tally
from thanopg.worker.writer import Writer

BATCHES_IN_FLIGHT = 2
"""between two threads; bounds memory"""


@dataclass
class Worker:
    """Drains the pending rows of one database."""

    url: str
    library: ModelLibrary
    preparer: Preparer
    options: WorkerOptions = field(default_factory=WorkerOptions)
    tally: Tally = field(default_factory=Tally)
    open_queue: Callable[[str], WorkQueue] = WorkQueue

    def run(self, stop: threading.Event, *, once: bool = False) -> Tally:
        """Work until `stop` is set, or with `once` until nothing is pending but rows that wait for another attempt.

        Raises DatabaseUnavailable if the database can't be reached at the start, and with `once` what loading a model
        raises; otherwise faults of the surroundings are logged and waited out.
        """
        batches: queues.Queue[Batch | None] = queues.Queue(BATCHES_IN_FLIGHT)
        outcomes: queues.Queue[Outcome | None] = queues.Queue(BATCHES_IN_FLIGHT)
        with Heartbeat(
            lambda: self._open_queue().serve_another("leases"), lease=timedelta(seconds=self.options.lease)
        ) as heartbeat:
            claimer = Claimer(self._open_queue, self.library, self.preparer, self.options, heartbeat, batches)
            writer = Writer(
                lambda: self._open_queue().serve_another("writes"),
                heartbeat,
                self.tally,
                patience=self.options.lease,
                refuse=claimer.refuse,
            )
            threads = (
                threading.Thread(target=self._forward_all, args=(batches, outcomes, claimer), name="forward"),
                threading.Thread(target=writer.run, args=(outcomes,), name="write"),
            )
            claimer.connect()
            for thread in threads:
                thread.start()
            try:
                claimer.run(stop, once=once)
            finally:
                claimer.close()
                batches.put(None)
                for thread in threads:
                    thread.join()
        return self.tally

    def _open_queue(self) -> WorkQueue:
        return self.open_queue(self.url)

    def _forward_all(
        self, batches: queues.Queue[Batch | None], outcomes: queues.Queue[Outcome | None], claimer: Claimer
    ) -> None:
        while (batch := batches.get()) is not None:
            outcome = forward(batch, self.tally)
            if outcome.refusal is not None:
                claimer.refuse(batch.claim.column, outcome.refusal)
            outcomes.put(outcome)
        outcomes.put(None)
