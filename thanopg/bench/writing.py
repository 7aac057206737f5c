"""What claiming, reading and writing a row takes in a database, measured there and taken back."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta

import numpy as np
import psycopg
from psycopg.types.json import Jsonb

from thanopg.database.connect import connect
from thanopg.models.embedder import ModelInfo, Vectors
from thanopg.worker.claim import Made, Written
from thanopg.worker.packed import packed
from thanopg.worker.queue import WorkQueue

MODEL, TABLE = "thanopg bench", "thanopg_bench"
BATCHES = 5
LEASE = timedelta(minutes=1)
REGISTER = "INSERT INTO thanopg.model SELECT (thanopg.described_model(%s, 'bench', %s)).*"
MAKE = (
    "CREATE TABLE thanopg_bench AS SELECT i AS id, 'bench/' || i || '.jpg' AS image_path FROM generate_series(1, %s) i"
)
ADD = "SELECT thanopg.add_image_embedding(%s::regclass, 'image_path', %s, index => 'none')"
NOW = "UPDATE thanopg.pending SET available_at = now() WHERE embedding = %s"  # of the transaction, which stands still


def seconds_per_row(url: str, info: ModelInfo, *, batch: int) -> float:
    """Without an index of vectors. Everything is done in one transaction that is rolled back, so nothing stays.

    Raises psycopg.Error where the role may not make a table with an embedding, DatabaseUnavailable.
    """
    vectors = packed(_vectors(batch, info.dimensions))
    connection = connect(url, application_name="thanopg bench", autocommit=True)
    queue = WorkQueue(url, connection=connection)
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(REGISTER, (MODEL, Jsonb(info.as_json())))
            connection.execute(MAKE, (BATCHES * batch,))
            connection.execute("ALTER TABLE thanopg_bench ADD PRIMARY KEY (id)")
            connection.execute(ADD, (TABLE, MODEL))
            column = queue.columns()[-1]
            connection.execute(NOW, (column.id,))
            taken = [_one_batch(queue, column.id, vectors) for _ in range(BATCHES)]
    finally:
        queue.close()
    return sorted(taken)[len(taken) // 2] / batch


def _one_batch(queue: WorkQueue, embedding: int, vectors: list[bytes]) -> float:
    (column,) = (each for each in queue.columns() if each.id == embedding)
    token = uuid.uuid4()
    begun = time.perf_counter()
    claim = queue.claim(column, token, size=len(vectors), lease=LEASE)
    written = [
        Written(row=row, made=Made(vector), content_hash=token.bytes, size=1)
        for row, vector in zip(claim.rows, vectors, strict=True)
    ]
    stored = queue.finish(column, token, written)
    seconds = time.perf_counter() - begun
    if len(stored) != len(vectors):
        raise psycopg.DataError(f"{len(stored)} of {len(vectors)} rows were written")
    return seconds


def _vectors(number: int, dimensions: int) -> Vectors:
    vectors = np.random.default_rng(0).standard_normal((number, dimensions)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
