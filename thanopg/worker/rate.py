"""How fast this worker is while there is work, by model and kind: what it leaves in the database for estimates.

Only time counts in which more rows waited: between two batches, when the second one was claimed before the first was
done. What a worker does at a trickle says nothing about it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from thanopg.worker.claim import Claim, Kind

REMEMBERED = 64
"""latest batches of one model in one use that count"""
FEWEST = 4
"""batches from which anything is said"""
NOTE_SECONDS = 10.0
"""between two notes, so that they cost nothing"""


class Rated(NamedTuple):
    """What a rate is of."""

    fingerprint: str
    kind: Kind


class Busy(NamedTuple):
    rows: int
    seconds: float


Note = Callable[[Rated, Busy], None]


class Rates:
    """Hears of every batch that is done, and notes now and then. One thread at a time."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._batches: dict[Rated, deque[Busy]] = {}
        self._unnoted: set[Rated] = set()
        self._done_at: float | None = None
        self._noted_at = float("-inf")

    def done(self, claim: Claim, rows: int, *, now: float | None = None) -> None:
        """`rows`: of the claim that were written."""
        now = time.monotonic() if now is None else now
        before, self._done_at = self._done_at, now
        if before is None or claim.at >= before or not rows:
            return
        rated = Rated(claim.column.fingerprint, claim.column.kind)
        self._batches.setdefault(rated, deque(maxlen=REMEMBERED)).append(Busy(rows, now - before))
        self._unnoted.add(rated)
        if now - self._noted_at >= NOTE_SECONDS:
            self.flush(now=now)

    def given_back(self) -> None:
        """A batch came to nothing: the time until the next one is none of its own."""
        self._done_at = None

    def flush(self, *, now: float | None = None) -> None:
        """Notes what has not been noted yet, where there is enough of it."""
        for rated in [each for each in self._unnoted if len(self._batches[each]) >= FEWEST]:
            batches = self._batches[rated]
            self._note(rated, Busy(sum(b.rows for b in batches), sum(b.seconds for b in batches)))
            self._unnoted.remove(rated)
            self._noted_at = time.monotonic() if now is None else now
