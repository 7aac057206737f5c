"""The work queue as seen from a worker: one method per SQL function, on one connection.

The connection is in autocommit: every call is a transaction of its own, and a read after a claim sees what was
committed in between.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import tuple_row

from thanopg.database.connect import Connection, connect
from thanopg.errors import ImageError
from thanopg.worker.claim import Claim, ClaimedRow, EmbeddingColumn, Key, Leased, Written
from thanopg.worker.packed import Packed, register

logger = logging.getLogger(__name__)

APPLICATION_NAME = "thanopg worker"
SESSION = {
    # filtering by row-level security would look like deleted rows: an error instead
    "row_security": "off",
    # one row has one key in every session
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    # of the role or the database, meant for people: a worker that is cut short would begin again and again
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_session_timeout": "0",
    # nobody waits for the disk: what a crash of the server takes back, the last half second, is pending again with it
    "synchronous_commit": "off",
}


FRONT_SECONDS = 5.0
"""so long may a row stay unseen that got a place behind the front: of a transaction that was long, or held its lock"""


@dataclass
class _Front:
    """Up to where the queue of a column was found claimed."""

    since: datetime | None = None
    until: float = float("-inf")

    def holds(self) -> bool:
        return time.monotonic() < self.until


class WorkQueue:
    """Claims and their ends. Not thread-safe: one queue per thread."""

    def __init__(self, url: str, *, connection: Connection | None = None) -> None:
        """`connection`: one that is there, in autocommit, and is ours from now on. Raises DatabaseUnavailable."""
        self._connection = connection or connect(url, application_name=APPLICATION_NAME, autocommit=True)
        register(self._connection)
        self._fronts: dict[tuple[int, bool], _Front] = {}
        for name, value in SESSION.items():
            self._connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        self._connection.add_notice_handler(_log_warning)

    def announce(self) -> None:
        """From now on worker_count() knows a worker by this connection."""
        self._value("SELECT thanopg.announce_worker()::int")

    def note_rate(self, fingerprint: str, kind: str, *, rows: int, seconds: float) -> None:
        """So many rows took so long, while more of them waited."""
        self._rows("SELECT thanopg.note_rate(%s, %s, %s, %s)", (fingerprint, kind, rows, seconds))

    def serve_another(self, part: str) -> WorkQueue:
        """The connection of a part of a worker: its name says so to whoever looks at pg_stat_activity."""
        self._connection.execute("SELECT set_config('application_name', %s, false)", (f"{APPLICATION_NAME}: {part}",))
        return self

    def close(self) -> None:
        self._connection.close()

    def columns(self) -> tuple[EmbeddingColumn, ...]:
        rows = self._rows(
            "SELECT c.id, format('%%s.%%I', c.target, c.column_name), c.kind, c.model_source, c.fingerprint, "
            "c.language, c.prompt FROM thanopg.embedding_column c ORDER BY c.id"
        )
        return tuple(
            EmbeddingColumn(
                id=r[0], label=r[1], kind=r[2], model_source=r[3], fingerprint=r[4], language=r[5], prompt=r[6]
            )
            for r in rows
        )

    def claim(
        self, column: EmbeddingColumn, token: uuid.UUID, *, size: int, lease: timedelta, alone: bool = False
    ) -> Claim:
        """Lease up to `size` rows, then read them in a statement of its own. Rows that are gone leave the queue."""
        leased = self.lease(column, token, size=size, lease=lease, alone=alone)
        rows = self.read(column, leased) if leased else ()
        gone = {row.key for row in leased} - {row.key for row in rows}
        if gone:
            self.forget(column, token, list(gone))
        return Claim(column=column, token=token, rows=rows)

    def lease(
        self, column: EmbeddingColumn, token: uuid.UUID, *, size: int, lease: timedelta, alone: bool
    ) -> tuple[Leased, ...]:
        """Goes on behind the rows of the last call; looks from the beginning when there are few, and now and then."""
        front = self._fronts.setdefault((column.id, alone), _Front())
        begun = self._rows("SELECT now()")[0][0] if alone and not front.holds() else None
        rows = self._rows(
            "SELECT key::text, attempts, lost_leases, waited_since "
            "FROM thanopg.claim(%s, %s, %s, %s, %s, coalesce(%s, '-infinity'::timestamptz))",
            (column.id, token, size, lease, alone, front.since if front.holds() else None),
        )
        if not front.holds():
            front.since, front.until = begun, time.monotonic() + FRONT_SECONDS
        if not alone:
            front.since = rows[-1][3] if len(rows) == size else None
        elif rows:
            front.until = float("-inf")
        return tuple(Leased(key=r[0], attempts=r[1], lost_leases=r[2]) for r in rows)

    def read(self, column: EmbeddingColumn, leased: Sequence[Leased]) -> tuple[ClaimedRow, ...]:
        """Rows that are gone are not returned."""
        of_key = {row.key: row for row in leased}
        rows = self._rows(
            "SELECT key::text, source_text, source_bytes, source_hash, content_hash, adopted, etag "
            "FROM thanopg.read_source(%s, %s::jsonb[])",
            (column.id, list(of_key)),
        )
        return tuple(
            ClaimedRow(
                key=key,
                attempts=of_key[key].attempts,
                lost_leases=of_key[key].lost_leases,
                source=text if data is None else data,
                source_hash=source_hash,
                content_hash=content_hash,
                adopted=adopted,
                etag=etag,
            )
            for key, text, data, source_hash, content_hash, adopted, etag in rows
        )

    def extend(self, column: EmbeddingColumn, token: uuid.UUID, keys: Sequence[Key], *, lease: timedelta) -> int:
        return self._value("SELECT thanopg.extend(%s, %s, %s::jsonb[], %s)", (column.id, token, list(keys), lease))

    def release(
        self, column: EmbeddingColumn, token: uuid.UUID, keys: Collection[Key] | None, *, backoff: timedelta
    ) -> int:
        """Give rows back, charging them nothing; without `keys` all that the token still holds."""
        return self._value(
            "SELECT thanopg.release(%s, %s, %s::jsonb[], %s)",
            (column.id, token, None if keys is None else list(keys), backoff),
        )

    def forget(
        self,
        column: EmbeddingColumn,
        token: uuid.UUID,
        keys: Sequence[Key],
        etags: Sequence[str | None] | None = None,
    ) -> int:
        """Rows that are gone; or with `etags`, those of now, rows that are right already."""
        return self._value(
            "SELECT thanopg.forget(%s, %s, %s::jsonb[], %s::text[])",
            (column.id, token, list(keys), None if etags is None else list(etags)),
        )

    def finish(self, column: EmbeddingColumn, token: uuid.UUID, rows: Sequence[Written]) -> list[Key]:
        """Store vectors or captions; returns the keys that were stored. The others are locked, changed or gone."""
        stored = self._rows(
            "SELECT f::text FROM thanopg.finish(%s, %s, %s, %s::jsonb[], "
            "%s::bytea[], %s::text[], %s::bytea[], %s::bigint[], %s::timestamptz[], %s::jsonb[], %s::text[], %s) f",
            (
                column.id,
                token,
                column.fingerprint,
                [written.row.key for written in rows],
                [written.row.source_hash for written in rows],
                [_text(written) for written in rows],
                [written.content_hash for written in rows],
                [written.size for written in rows],
                [written.modified for written in rows],
                [written.made and written.made.attributes for written in rows],
                [written.etag for written in rows],
                Packed([_packed(written) for written in rows]),
            ),
        )
        return [key for (key,) in stored]

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
        """Record a fault of one row. False: the row is locked or changed, and nothing was recorded."""
        return bool(
            self._value(
                "SELECT thanopg.fail(%s, %s, %s::jsonb, %s, %s, %s, %s, %s)",
                (
                    column.id,
                    token,
                    row.key,
                    row.source_hash,
                    fault.fault,
                    _storable(fault.message),
                    retry_after,
                    clear_vector,
                ),
            )
        )

    def blocks(self, column: EmbeddingColumn, *, deep: bool) -> int:
        """How many there are to be reconciled; 0 if the column is gone."""
        return self._value("SELECT coalesce(thanopg.reconcile_blocks(%s, %s), 0)", (column.id, deep))

    def reconcile(
        self, column: EmbeddingColumn, *, deep: bool, first: int | None = None, number: int | None = None
    ) -> int | None:
        """Queue what triggers did not see, in `number` blocks of the table from `first` on; returns how many rows.

        None: another worker is at it.
        """
        with self._connection.transaction():
            ((alone,),) = self._rows(
                "SELECT pg_try_advisory_xact_lock('thanopg.embedding'::regclass::int, %s)", (column.id,)
            )
            if not alone:
                return None
            return self._value(
                "SELECT thanopg.reconcile(%s, %s, %s::bigint, %s::bigint)", (column.id, deep, first, number)
            )

    def mend(self, column: EmbeddingColumn) -> None:
        """Put back triggers that were dropped or no longer fire always, if the table is ours and nobody works on it."""
        self._value("SELECT thanopg.mend_triggers(%s)::int", (column.id,))

    def forget_dropped(self) -> int:
        """Forget embedding columns whose table or column is gone."""
        return self._value("SELECT thanopg.forget_dropped()")

    def settled(self) -> bool:
        """Does nothing wait, and is nothing being worked on, but rows whose last attempt failed?"""
        return bool(self._value("SELECT thanopg.is_settled()::int"))

    def _rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(statement.encode(), parameters).fetchall()

    def _value(self, statement: str, parameters: Sequence[object] = ()) -> int:
        ((value,),) = self._rows(statement, parameters)
        return int(value)


def is_gone(error: psycopg.Error) -> bool:
    """Is this a fault of the surroundings (connection, shutdown, resources) rather than of a row?"""
    return isinstance(error, psycopg.OperationalError)


def _log_warning(diag: psycopg.errors.Diagnostic) -> None:
    if diag.severity_nonlocalized == "WARNING":
        hint = f"; {diag.message_hint}" if diag.message_hint else ""
        logger.warning("%s%s", diag.message_primary, hint)


def _text(written: Written) -> str | None:
    return written.made.value if written.made is not None and isinstance(written.made.value, str) else None


def _packed(written: Written) -> bytes | None:
    return written.made.value if written.made is not None and isinstance(written.made.value, bytes) else None


def _storable(text: str) -> str:
    """What PostgreSQL takes as text: neither NUL nor half a character, which a file's name may hold."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
