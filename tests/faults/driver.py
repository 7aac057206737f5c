"""Random operations of ordinary sessions, as users and their programs do them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import psycopg

from tests.faults.figures import Figures
from tests.faults.pictures import BROKEN, BROKEN_BYTES, FILES, Pictures
from tests.faults.tables import ATTRIBUTES, TARGETS, Target
from thanopg.database.connect import connect
from thanopg.errors import DatabaseUnavailable

KEYS = 400
RECONNECT_SECONDS = 0.2

SOURCE = "%(source)s"
STATEMENTS: dict[str, tuple[str, float]] = {
    "insert": ("INSERT INTO {t} ({k}, n, {s}) SELECT {key_n}, %(n)s, {source} ON CONFLICT DO NOTHING", 4),
    "insert many": (
        "INSERT INTO {t} ({k}, n, {s}) SELECT {key_i}, i, {source} FROM generate_series(%(n)s, %(n)s + 40) i "
        "ON CONFLICT DO NOTHING",
        2,
    ),
    "upsert": (
        "INSERT INTO {t} ({k}, n, {s}) SELECT {key_n}, %(n)s, {source} "
        "ON CONFLICT ({k}) DO UPDATE SET {s} = EXCLUDED.{s}",
        3,
    ),
    "update picture": ("UPDATE {t} SET {s} = {source} WHERE n = %(n)s", 6),
    "update pictures": ("UPDATE {t} SET {s} = {source} WHERE n %% 17 = %(n)s %% 17", 1),
    "update other column": ("UPDATE {t} SET note = 'x' || %(n)s WHERE n %% 5 = %(n)s %% 5", 1),
    "change key": ("UPDATE {t} SET n = n + 501, {set_key} WHERE n = %(n)s", 2),
    "change key back": ("UPDATE {t} SET n = n - 501, {set_key_back} WHERE n = %(n)s + 501", 2),
    "copy row with what was made of it": (
        "INSERT INTO {t} ({k}, n, {s}, {v}) SELECT {key_other}, n + 1002, {s}, {v} FROM {t} WHERE n = %(n)s "
        "ON CONFLICT DO NOTHING",
        1,
    ),
    "row replaced, with what was made of another": (
        "WITH gone AS (DELETE FROM {t} WHERE n = %(n)s RETURNING {s}) "
        "INSERT INTO {t} ({k}, n, {s}, {v}) SELECT {key_n}, %(n)s, gone.{s}, other.{v} "
        "FROM gone, (SELECT {v} FROM {t} WHERE n <> %(n)s AND {v} IS NOT NULL LIMIT 1) other",
        2,
    ),
    "what was made taken away": ("UPDATE {t} SET {v} = NULL WHERE n = %(n)s", 0.5),
    "delete": ("DELETE FROM {t} WHERE n = %(n)s", 3),
    "delete many": ("DELETE FROM {t} WHERE n BETWEEN %(n)s AND %(n)s + 30", 1),
    "truncate": ("TRUNCATE {t}", 0.05),
    "row into partition": (
        "INSERT INTO {partition} ({k}, n, {s}) SELECT {key_of_partition}, {n_of_partition}, {source} "
        "ON CONFLICT DO NOTHING",
        2,
    ),
}
UNDER_DISABLED_TRIGGERS = ("update picture", "update pictures", "change key", "insert many", "delete many")


class Driver:
    """One session after another, as long as it is told to go on."""

    def __init__(self, url: str, seed: int, pictures: Pictures, figures: Figures) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._pictures = pictures
        self._figures = figures
        self._saved: dict[str, bytes] = {}
        self._next_picture = seed * 1_000_000

    def run(self, go_on: Callable[[], bool]) -> None:
        while go_on():
            try:
                with connect(self._url, application_name="driver") as session:
                    while go_on():
                        self._step(session)
            except (psycopg.OperationalError, DatabaseUnavailable):
                threading.Event().wait(RECONNECT_SECONDS)

    def _step(self, session: psycopg.Connection) -> None:
        target = self._random.choice(TARGETS)
        special = self._random.random()
        try:
            if special < 0.01:
                self._without_triggers(session, target)
            elif special < 0.014:
                self._save_or_restore(session, target)
            elif special < 0.017:
                session.execute("SELECT refresh(%s)", (target.name,))
                session.commit()
                self._count("refresh")
            else:
                self._transaction(session)
        except (psycopg.IntegrityError, psycopg.OperationalError) as error:
            self._figures.count(self._figures.refused, error.sqlstate or "connection lost")
            if session.closed:  # it was cut while the refused transaction was being rolled back
                raise psycopg.OperationalError("connection lost") from error
            session.rollback()

    def _transaction(self, session: psycopg.Connection) -> None:
        back = self._random.random() < 0.15
        with session.transaction(force_rollback=back):
            if self._random.random() < 0.1:
                session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for _ in range(self._random.choice([1, 1, 1, 3])):
                if self._random.random() < 0.1:
                    with session.transaction(force_rollback=True):
                        self._statement(session, "savepoint, rolled back")
                self._statement(session, "rolled back" if back else None)

    def _statement(self, session: psycopg.Connection, label: str | None = None) -> None:
        target = self._random.choice(TARGETS)
        usable = [name for name in STATEMENTS if target.partitions or "{partition}" not in STATEMENTS[name][0]]
        name = self._random.choices(usable, [STATEMENTS[name][1] for name in usable])[0]
        self._execute(session, target, name)
        self._count(label or name)

    def _execute(self, session: psycopg.Connection, target: Target, name: str) -> None:
        partition = self._random.randrange(len(target.partitions) or 1)
        n_of_partition = f"(%(n)s * 2 + {partition})"
        statement = STATEMENTS[name][0].format(
            t=target.name,
            k=target.columns,
            s=target.source,
            # attributes alone nobody misses: they come and go with their caption
            v=self._random.choice([made for made in target.made if made != ATTRIBUTES]),
            source=SOURCE + ("::bytea" if target.source == "image" else "::text"),
            key_n=target.key_of("%(n)s::int").replace(" % ", " %% "),
            key_i=target.key_of("i").replace(" % ", " %% "),
            key_other=target.key_of("(n + 1002)").replace(" % ", " %% "),
            set_key=target.set_key("(n + 501)").replace(" % ", " %% "),
            set_key_back=target.set_key("(n - 501)").replace(" % ", " %% "),
            partition=target.partitions[partition] if target.partitions else "",
            n_of_partition=n_of_partition,
            key_of_partition=target.key_of(n_of_partition).replace(" % ", " %% "),
        )
        session.execute(statement.encode(), {"n": self._random.randrange(KEYS), "source": self._source(target)})

    def _source(self, target: Target) -> str | bytes | None:
        kind = self._random.random()
        self._next_picture += 1
        if kind < 0.05:
            return None
        if target.source == "image":
            return BROKEN_BYTES if kind < 0.07 else self._pictures.stored(self._next_picture)
        if kind < 0.07:
            return self._random.choice(list(BROKEN))
        return self._pictures.inline(self._next_picture) if kind < 0.2 else f"{self._random.randrange(FILES)}.png"

    def _without_triggers(self, session: psycopg.Connection, target: Target) -> None:
        """As bulk loads do it: in one transaction, or with the triggers off for everybody for a while."""
        together = self._random.random() < 0.5
        session.execute(f"ALTER TABLE {target.name} DISABLE TRIGGER USER".encode())
        try:
            if not together:
                session.commit()
            for _ in range(3):
                self._execute(session, target, self._random.choice(UNDER_DISABLED_TRIGGERS))
            session.commit() if not together else None
        finally:
            if not session.closed:
                if session.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                    session.rollback()
                session.execute(f"ALTER TABLE {target.name} ENABLE TRIGGER USER".encode())
                session.commit()
        self._count("triggers disabled and enabled")

    def _save_or_restore(self, session: psycopg.Connection, target: Target) -> None:
        """What pg_dump --data-only and pg_restore --disable-triggers do with one table, all that was made included."""
        columns = f"({', '.join((target.columns, 'n', target.source, 'note', *target.made))})"
        if target.name not in self._saved:
            with session.cursor().copy(f"COPY (SELECT {columns[1:-1]} FROM {target.name}) TO STDOUT".encode()) as copy:
                self._saved[target.name] = b"".join(bytes(part) for part in copy)
            session.commit()
            self._count("dump")
            return
        data = self._saved.pop(target.name)
        session.execute(f"TRUNCATE {target.name}; ALTER TABLE {target.name} DISABLE TRIGGER USER".encode())
        with session.cursor().copy(f"COPY {target.name} {columns} FROM STDIN".encode()) as copy:
            copy.write(data)
        session.execute(f"ALTER TABLE {target.name} ENABLE TRIGGER USER".encode())
        session.commit()
        self._count("restore")

    def _count(self, name: str) -> None:
        self._figures.count(self._figures.operations, name)
