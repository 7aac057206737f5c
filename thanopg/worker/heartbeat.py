"""Keeps the leases of the claims in hand alive, from a thread and a connection of its own."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import timedelta

from thanopg.worker.claim import Claim
from thanopg.worker.queue import WorkQueue

logger = logging.getLogger(__name__)

BEATS_PER_LEASE = 3
STOP_SECONDS = 0.1
"""at most so long until a stop is noticed"""


class Heartbeat:
    """Extends every claim between `hold` and `drop`; a context manager. A lost connection is opened anew."""

    def __init__(self, open_queue: Callable[[], WorkQueue], *, lease: timedelta) -> None:
        self._open_queue = open_queue
        self._lease = lease
        self._claims: dict[uuid.UUID, Claim] = {}
        self._drops = 0
        self._lock = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopped.set()
        self._thread.join()

    def hold(self, claim: Claim) -> None:
        with self._lock:
            self._claims[claim.token] = claim

    def drop(self, claim: Claim) -> None:
        with self._lock:
            self._claims.pop(claim.token, None)
            self._drops += 1
            self._lock.notify_all()

    def wait_until_idle(self, stop: threading.Event) -> None:
        """Return when no claim is in hand, or when it is time to stop."""
        with self._lock:
            while self._claims and not stop.is_set():
                self._lock.wait(STOP_SECONDS)

    def wait_for_drop(self, stop: threading.Event, seconds: float) -> None:
        """Return when a claim in hand has ended, after so many seconds, or when it is time to stop."""
        end = time.monotonic() + seconds
        with self._lock:
            before = self._drops
            while self._drops == before and not stop.is_set() and (left := end - time.monotonic()) > 0:
                self._lock.wait(min(left, STOP_SECONDS))

    @property
    def held(self) -> int:
        """Claims in hand."""
        with self._lock:
            return len(self._claims)

    def _run(self) -> None:
        queue: WorkQueue | None = None
        while not self._stopped.wait(self._lease.total_seconds() / BEATS_PER_LEASE):
            with self._lock:
                claims = list(self._claims.values())
            try:
                for claim in claims:
                    queue = queue or self._open_queue()
                    queue.extend(claim.column, claim.token, claim.keys, lease=self._lease)
            except Exception as error:  # whatever it is, the next beat may work
                logger.warning("could not extend a lease: %s", error)
                if queue is not None:
                    queue.close()
                queue = None
        if queue is not None:
            queue.close()
