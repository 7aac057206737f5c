"""Vectors that were packed are stored as the very ones that their text would give."""

from __future__ import annotations

import uuid
from datetime import timedelta

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from thanopg.models.fake import FakeEmbedder
from thanopg.worker.claim import Made, Written
from thanopg.worker.packed import packed, unpacked
from thanopg.worker.queue import WorkQueue


@pytest.mark.parametrize("type", ["vector", "halfvec"])
def test_packed_is_as_text(connection: psycopg.Connection, database: Database, model: FakeEmbedder, type: str) -> None:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("INSERT INTO photo SELECT i, i || '.jpg' FROM generate_series(1, 6) i")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', type => %s)", (type,))
    vectors = np.random.default_rng(7).standard_normal((2, 8)).astype(np.float32)
    vectors[0, :4] = [0.0, -0.0, 1e-38, 60000.5]
    texts = ["[" + ",".join(map(repr, vector.tolist())) + "]" for vector in vectors]
    made = [Made(values) for pair in zip(packed(vectors), texts, strict=True) for values in pair]
    queue = WorkQueue(database.url)
    try:
        (column,) = queue.columns()
        claim = queue.claim(column, uuid.uuid4(), size=5, lease=timedelta(minutes=1))
        rows = [
            Written(row=row, made=what, content_hash=b"h", size=1)
            for row, what in zip(claim.rows, [*made, None], strict=True)
        ]
        assert len(queue.finish(column, claim.token, rows)) == 5
    finally:
        queue.close()
    stored = connection.execute(
        "SELECT fake_fake::text, encode(vector_hash, 'hex') "
        "FROM photo LEFT JOIN thanopg.provenance ON key->0 = to_jsonb(id) ORDER BY id"
    ).fetchall()
    assert stored[0] == stored[1] and stored[2] == stored[3] and stored[0] != stored[2]
    assert stored[0][1] is not None and stored[4:] == [(None, None), (None, None)]
    expected = connection.execute(f"SELECT %s::{type}::text".encode(), (texts[0],)).fetchone()
    assert expected == (stored[0][0],)


def test_wrong_length_is_refused(connection: psycopg.Connection, database: Database, photo: str) -> None:
    queue = WorkQueue(database.url)
    try:
        (column,) = queue.columns()
        claim = queue.claim(column, uuid.uuid4(), size=1, lease=timedelta(minutes=1))
        (nine,) = packed(np.ones((1, 9), dtype=np.float32))
        with pytest.raises(psycopg.DataError, match="expected 8 dimensions, not 9"):
            queue.finish(column, claim.token, [Written(row=claim.rows[0], made=Made(nine), content_hash=b"h", size=1)])
    finally:
        queue.close()


def test_both_forms_are_read_back() -> None:
    vectors = np.asarray([[0.25, -1.5]], dtype=np.float32)
    assert unpacked(packed(vectors)[0]).tolist() == unpacked("[0.25,-1.5]").tolist() == [0.25, -1.5]
