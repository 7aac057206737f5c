"""The end of a claim: every row is stored, failed, forgotten or released. Nothing else ends one but its lease.

An attempt is charged only for a fault that belongs to the row.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg

from thanopg.errors import ImageError, ImageFault
from thanopg.worker.claim import Claim, ClaimedRow, Key, Prepared, Written
from thanopg.worker.queue import WorkQueue, is_gone

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 6
"""for transient faults; with these backoffs a picture has 5 minutes to come back"""
FIRST_BACKOFF = timedelta(seconds=1)
BACKOFF_FACTOR = 4
SECOND_CHANCE: frozenset[ImageFault] = frozenset({"decoder_timeout"})
"""permanent, but the machine may have been busy: believed the second time"""

NO_ROWS_FAULT = frozenset({"42501", "42703", "42704", "42P01", "55000"})
"""no permission, column, embedding or table, another model's column: the same for every row"""

LONGEST_PATH = 300
"""characters of a path that is quoted in a failure's text"""
LOCKED_TRIES = 3
LOCKED_PAUSE = 0.05
LOCKED_BACKOFF = timedelta(seconds=0.2)
SURROUNDINGS_BACKOFF = timedelta(seconds=2)


@dataclass
class Tally:
    """What one worker has done, for its last line and for tests."""

    embedded: int = 0
    failed: int = 0
    unchanged: int = 0
    model_calls: int = 0
    faults: dict[str, int] = field(default_factory=dict)


def settle(
    queue: WorkQueue, claim: Claim, written: Sequence[Written], prepared: Sequence[Prepared], tally: Tally
) -> None:
    """Store `written`, and record, forget or release the rows of `prepared` that are not in it.

    Raises psycopg.OperationalError when the database is gone; the leases then run out by themselves.
    """
    left = _store(queue, claim, written, tally)
    unchanged = {row.row.key: row.etag for row in prepared if row.unchanged}
    if unchanged:
        tally.unchanged += queue.forget(claim.column, claim.token, list(unchanged), list(unchanged.values()))
    for row in prepared:
        if row.fault is not None and not _record(queue, claim, row.row, row.fault, tally):
            left.append(row.row)
    ended = {w.row.key for w in written} | {p.row.key for p in prepared if p.fault or p.unchanged}
    left += [row.row for row in prepared if row.row.key not in ended]
    if left:
        queue.release(claim.column, claim.token, [row.key for row in left], backoff=LOCKED_BACKOFF)


def _store(queue: WorkQueue, claim: Claim, written: Sequence[Written], tally: Tally) -> list[ClaimedRow]:
    """Returns the rows that could not be stored now: locked by somebody, or changed since."""
    left = list(written)
    for attempt in range(LOCKED_TRIES):
        if not left:
            break
        if attempt:
            time.sleep(LOCKED_PAUSE)  # somebody else's transaction holds the row: nothing tells when it ends
        stored = set(_finish_halving(queue, claim, left, tally))
        tally.embedded += len(stored)
        left = [w for w in left if w.row.key not in stored]
    return [w.row for w in left]


def _finish_halving(queue: WorkQueue, claim: Claim, rows: Sequence[Written], tally: Tally) -> list[Key]:
    try:
        return queue.finish(claim.column, claim.token, rows)
    except psycopg.Error as error:
        if is_gone(error):
            raise
        if error.sqlstate in NO_ROWS_FAULT:
            raise
        if len(rows) > 1:
            middle = len(rows) // 2
            return _finish_halving(queue, claim, rows[:middle], tally) + _finish_halving(
                queue, claim, rows[middle:], tally
            )
        refusal = error.diag.message_primary or type(error).__name__
        _record(
            queue,
            claim,
            rows[0].row,
            ImageError("write_refused", f"the database refused what was made of it: {refusal}"),
            tally,
        )
        return []


def _record(queue: WorkQueue, claim: Claim, row: ClaimedRow, fault: ImageError, tally: Tally) -> bool:
    retry_after = _retry_after(fault, row.attempts)
    recorded = queue.fail(
        claim.column,
        claim.token,
        row,
        fault if claim.column.kind == "text" else _with_path(fault, row),
        retry_after=retry_after,
        # a vector from elsewhere stays until it is known to be wrong, and then until somebody says retry
        clear_vector=retry_after is None and fault.permanent and row.adopted is None,
    )
    if recorded:
        tally.faults[fault.fault] = tally.faults.get(fault.fault, 0) + 1
        if retry_after is None:
            tally.failed += 1
            logger.info("%s %s: %s: %s", claim.column.label, row.key, fault.fault, fault.message)
    return recorded


def _with_path(fault: ImageError, row: ClaimedRow) -> ImageError:
    """The fault with the path it speaks of; not a URL, which may hold secrets, nor a data: URI, a whole picture."""
    source = row.source
    if not isinstance(source, str) or not 0 < len(source) <= LONGEST_PATH or "://" in source or source[:5] == "data:":
        return fault
    return ImageError(fault.fault, f"{fault.message}: {source}", hint=fault.hint)


def _retry_after(fault: ImageError, attempts: int) -> timedelta | None:
    """None: set aside. `attempts`: those charged before this one."""
    if fault.permanent and not (fault.fault in SECOND_CHANCE and attempts == 0):
        return None
    if attempts + 1 >= MOST_ATTEMPTS:
        return None
    return FIRST_BACKOFF * float(BACKOFF_FACTOR**attempts)
