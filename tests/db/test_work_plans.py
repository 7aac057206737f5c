"""A batch's cost does not grow with what the queue and the provenance hold, whatever statistics say of them."""

from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
import psycopg

from tests.databases import Database
from thanopg.worker.claim import Made, Written
from thanopg.worker.packed import packed
from thanopg.worker.queue import WorkQueue

MANY = 20_000
BATCH = 64
READ = (
    "SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_user_tables "
    "WHERE schemaname = 'thanopg' AND relname IN ('pending', 'provenance')"
)
ENTRIES = (
    "SELECT sum(idx_tup_read) FROM pg_stat_user_indexes "
    "WHERE schemaname = 'thanopg' AND relname IN ('pending', 'provenance')"
)


def test_rows_read_by_a_batch(connection: psycopg.Connection, photo: str, database: Database) -> None:
    # what was analyzed then knows of another column and not of what is there now
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', column_name => 'other')")
    for table, values in (
        ("pending (embedding, key)", ""),
        ("provenance (embedding, key, source_hash, fingerprint)", ", '', ''"),
    ):
        connection.execute(
            f"INSERT INTO thanopg.{table} SELECT 2, jsonb_build_array(-i){values} "
            "FROM generate_series(1, 2000) i".encode()
        )
    connection.execute("DELETE FROM thanopg.pending WHERE embedding = 1")
    connection.execute("ALTER TABLE thanopg.provenance SET (autovacuum_enabled = off)")
    connection.execute("ALTER TABLE thanopg.pending SET (autovacuum_enabled = off)")
    connection.execute("ANALYZE thanopg.pending, thanopg.provenance")
    connection.execute("INSERT INTO photo SELECT i, i || '.jpg' FROM generate_series(11, %s) i", (MANY,))
    connection.execute(
        "INSERT INTO thanopg.provenance (embedding, key, source_hash, fingerprint) "
        "SELECT 1, jsonb_build_array(-i), '', '' FROM generate_series(1, %s) i",
        (MANY,),
    )
    connection.execute("DELETE FROM thanopg.pending WHERE embedding = 2")
    queue = WorkQueue(database.url)
    try:
        column, _ = queue.columns()
        vectors = packed(np.eye(8, dtype=np.float32)[:1])

        def batch() -> None:
            claim = queue.claim(column, uuid.uuid4(), size=BATCH, lease=timedelta(minutes=1))
            half = claim.rows[: BATCH // 2]
            written = [Written(row=row, made=Made(vectors[0]), content_hash=b"h", size=1) for row in half]
            assert queue.extend(column, claim.token, claim.keys, lease=timedelta(minutes=1)) == BATCH
            assert len(queue.finish(column, claim.token, written)) == BATCH // 2
            rest = [row.key for row in claim.rows[BATCH // 2 :]]
            assert queue.forget(column, claim.token, rest, [None] * len(rest)) == BATCH // 2
            queue._rows("SELECT pg_stat_force_next_flush()")
            queue._rows("SELECT 1")

        batch()
        before = [connection.execute(statement).fetchone() or (0,) for statement in (READ, ENTRIES)]
        for _ in range(5):
            batch()
        after = [connection.execute(statement).fetchone() or (0,) for statement in (READ, ENTRIES)]
    finally:
        queue.close()
    rows, entries = (float(late[0] - early[0]) / (5 * BATCH) for early, late in zip(before, after, strict=True))
    assert rows < 20 and entries < 30, f"{rows:.0f} rows and {entries:.0f} entries for each row of a batch"
