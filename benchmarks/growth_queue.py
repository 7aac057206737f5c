"""A database of its own whose queue has so many rows, and what its parts take: claim, finish, reconcile, status.

Databases of all sizes are there at once, so that they are measured in turn.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

import numpy as np
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.growth_worker import DIMENSIONS, SOURCE
from benchmarks.stack import Stack
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.worker.claim import EmbeddingColumn, Made, Written
from thanopg.worker.packed import packed
from thanopg.worker.queue import WorkQueue

BATCH = 64
BATCHES = 40
LEASE = timedelta(minutes=10)
BLOCKS = 16
"""of the table, that one call reconciles"""
CALLS = 5
LOOKS = 5
TABLE = "growth_bench"
TABLES = ("growth_bench", "thanopg.pending", "thanopg.provenance")
LOOK = b"SELECT * FROM embedding_status"

Result = TypeVar("Result")


class GrowthQueue:
    """All rows of its one table wait. PostgreSQL knows nothing of them before `analyze`, and autovacuum is off."""

    def __init__(self, stack: Stack, size: int) -> None:
        self.size = size
        name = f"growth_{size}"
        with connect(stack.server.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER thanopg_owner").format(sql.Identifier(name)))
        self.url = make_conninfo(stack.url, dbname=name)
        superuser_url = make_conninfo(stack.server.superuser_url, dbname=name)
        install(self.url, service=stack.server.service_address, superuser_url=superuser_url)
        self._connection = connect(self.url, autocommit=True)
        self._execute(f"SELECT create_model('growth', source => '{SOURCE}', base => 'bench')")
        self._execute("ALTER TABLE thanopg.pending SET (autovacuum_enabled = off)")
        self._execute("ALTER TABLE thanopg.provenance SET (autovacuum_enabled = off)")
        self._random = random.Random(size)
        self._left = 0
        self._analyzed = False
        self.fill()
        self._queue = WorkQueue(self.url)

    def close(self) -> None:
        self._queue.close()
        self._connection.close()

    def analyze(self) -> None:
        self._analyzed = True
        self._execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")

    def fill(self) -> None:
        """Again from the beginning."""
        self._execute(f"DROP TABLE IF EXISTS {TABLE}")
        self._execute("TRUNCATE thanopg.pending, thanopg.provenance")
        self._execute("SELECT thanopg.forget_dropped()")
        self._execute(f"CREATE TABLE {TABLE} (id bigint PRIMARY KEY, image_path text) WITH (autovacuum_enabled = off)")
        self._execute(f"INSERT INTO {TABLE} SELECT i, i || '.jpg' FROM generate_series(1, {self.size}) i")
        self._execute(f"SELECT add_image_embedding('{TABLE}', 'image_path', 'growth', index => 'none')")
        self._left = self.size
        if self._analyzed:
            self.analyze()

    def work(self, rows: int, *, workers: int) -> float:
        """Milliseconds for 1,000 rows, claim to commit; processes start before the time counts."""
        self._take(rows)
        command = [sys.executable, "-m", "benchmarks.growth_worker", self.url, str(rows // workers)]
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
        done = [process.communicate()[0].split() for process in running]
        return 1e6 * max(float(seconds) for _, seconds in done) / sum(int(number) for number, _ in done)

    def claim_and_finish(self) -> tuple[float, float]:
        """Milliseconds for 1,000 rows, of claiming and reading them, and of writing their vectors."""
        self._take(BATCH * BATCHES)
        vectors = packed(np.eye(DIMENSIONS, dtype=np.float32)[:BATCH])
        claiming = finishing = 0.0
        for _ in range(BATCHES):
            column, token = self._column(), uuid.uuid4()
            seconds, claim = _timed(partial(self._queue.claim, column, token, size=BATCH, lease=LEASE))
            claiming += seconds
            written = [
                Written(row=row, made=Made(vector), content_hash=os.urandom(32), size=1)
                for row, vector in zip(claim.rows, vectors, strict=True)
            ]
            seconds, stored = _timed(partial(self._queue.finish, column, token, written))
            finishing += seconds
            if len(stored) < BATCH:
                raise RuntimeError(f"{len(stored)} of {BATCH} vectors were written")
        rows = BATCH * BATCHES
        return 1e6 * claiming / rows, 1e6 * finishing / rows

    def reconcile(self, *, deep: bool) -> float:
        """Milliseconds for 1,000 rows of the table, somewhere in it."""
        column = self._column()
        blocks = self._queue.blocks(column, deep=False)
        taken = 0.0
        for _ in range(CALLS):
            first = self._random.randrange(blocks - BLOCKS)
            call = partial(self._queue.reconcile, column, deep=deep, first=first, number=BLOCKS)
            seconds, queued = _timed(call)
            if queued:
                raise RuntimeError(f"{queued} rows were not in the queue")
            taken += seconds
        return 1e6 * taken / (self.size * CALLS * BLOCKS / blocks)

    def look(self) -> list[float]:
        """Milliseconds of each look at the status."""
        return [1000 * _timed(lambda: self._connection.execute(LOOK).fetchall())[0] for _ in range(LOOKS)]

    def _take(self, rows: int) -> None:
        """So many rows are about to go. A queue that would be much shorter then is filled anew."""
        if self._left - rows < self.size // 4:
            self.fill()
        self._left -= rows

    def _column(self) -> EmbeddingColumn:
        (column,) = self._queue.columns()
        return column

    def _execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())


def _timed(call: Callable[[], Result]) -> tuple[float, Result]:
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result
