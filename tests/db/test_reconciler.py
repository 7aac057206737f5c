"""A table reconciled in turns is reconciled as if at once; claims that go on behind the last one miss no row."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from tests.databases import Database
from thanopg.database.connect import connect
from thanopg.models.fake import FakeEmbedder
from thanopg.worker.options import WorkerOptions
from thanopg.worker.queue import WorkQueue
from thanopg.worker.reconciler import Reconciler

ROWS = 60
VECTOR = "[1,0,0,0,0,0,0,0]"
PENDING = "SELECT (key->0)::int FROM thanopg.pending ORDER BY 1"


@pytest.fixture
def queue(database: Database) -> Iterator[WorkQueue]:
    made = WorkQueue(database.url)
    yield made
    made.close()


@pytest.fixture
def wide(connection: psycopg.Connection, model: FakeEmbedder) -> psycopg.Connection:
    """Table photo, a row to a block, in two partitions, all embedded; then much happens that no trigger sees."""
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, 그림 text, pad text) PARTITION BY RANGE (id)")
    connection.execute("CREATE TABLE photo_1 PARTITION OF photo FOR VALUES FROM (0) TO (40)")
    connection.execute("CREATE TABLE photo_2 PARTITION OF photo FOR VALUES FROM (40) TO (1000)")
    for part in ("photo_1", "photo_2"):
        connection.execute(f"ALTER TABLE {part} ALTER pad SET STORAGE PLAIN".encode())
    connection.execute("SELECT add_image_embedding('photo', '그림', 'fake')")
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute(
        "INSERT INTO photo SELECT i, '고양이/' || i || '.jpg', repeat('x', 5000), %s FROM generate_series(1, %s) i",
        (VECTOR, ROWS),
    )
    connection.execute(
        "INSERT INTO thanopg.provenance (embedding, key, source_hash, fingerprint) "
        "SELECT 1, jsonb_build_array(photo.id), sha256(convert_to(그림, 'UTF8')), e.fingerprint "
        "FROM photo, thanopg.embedding e"
    )
    connection.execute("UPDATE photo SET fake_fake = NULL WHERE id IN (3, 59)")  # missing
    connection.execute("UPDATE photo SET 그림 = NULL WHERE id = 17")  # superfluous
    connection.execute("UPDATE photo SET 그림 = 'other.jpg' WHERE id IN (20, 45)")  # of something else
    connection.execute("DELETE FROM photo WHERE id IN (5, 58)")
    return connection


def test_turns_find_what_one_call_finds(wide: psycopg.Connection, queue: WorkQueue) -> None:
    (column,) = queue.columns()
    assert queue.blocks(column, deep=False) >= 39
    ((block,),) = wide.execute("SELECT (ctid::text::point)[0]::int FROM photo WHERE id = 3").fetchall()
    there = wide.execute(
        "SELECT id FROM photo WHERE id IN (3, 17, 59) AND (ctid::text::point)[0] = %s ORDER BY id", (block,)
    ).fetchall()
    assert queue.reconcile(column, deep=False, first=block, number=1) == len(there)
    assert wide.execute(PENDING).fetchall() == there
    reconciler = Reconciler(WorkerOptions())
    reconciler.turn(queue, column, threading.Event(), to_the_end=True)
    assert not reconciler.under_way
    assert wide.execute(PENDING).fetchall() == [(3,), (17,), (20,), (45,), (59,)]
    gone = wide.execute("SELECT count(*) FROM thanopg.provenance WHERE key IN ('[5]', '[58]')").fetchone()
    assert gone == (0,)
    wide.execute("DELETE FROM thanopg.pending")
    wide.execute("SELECT thanopg.reconcile(1, deep => true)")
    assert wide.execute(PENDING).fetchall() == [(3,), (17,), (20,), (45,), (59,)]


def test_what_waits_already_stays_as_it_is(wide: psycopg.Connection, queue: WorkQueue) -> None:
    (column,) = queue.columns()
    assert queue.reconcile(column, deep=False) == 3
    wide.execute("UPDATE thanopg.pending SET attempts = 4")
    assert queue.reconcile(column, deep=True, first=0, number=100) == 0
    assert wide.execute("SELECT (key->0)::int, attempts FROM thanopg.pending WHERE key = '[3]'").fetchall() == [(3, 4)]


def test_only_one_worker_is_at_it(wide: psycopg.Connection, queue: WorkQueue, database: Database) -> None:
    (column,) = queue.columns()
    reconciler = Reconciler(WorkerOptions())
    with connect(database.url) as other:
        other.execute("SELECT pg_advisory_xact_lock('thanopg.embedding'::regclass::int, %s)", (column.id,))
        assert queue.reconcile(column, deep=False, first=0, number=100) is None
        reconciler.turn(queue, column, threading.Event(), to_the_end=True)
    assert not reconciler.under_way  # the other one does it
    assert wide.execute(PENDING).fetchall() == []


def test_stopped_pass_goes_on_later(wide: psycopg.Connection, queue: WorkQueue) -> None:
    (column,) = queue.columns()
    reconciler, stop = Reconciler(WorkerOptions()), threading.Event()
    stop.set()
    reconciler.turn(queue, column, stop, to_the_end=True)
    assert not reconciler.under_way and wide.execute(PENDING).fetchall() == []


def test_claims_go_on_behind_the_last_one_and_miss_no_row(
    connection: psycopg.Connection, queue: WorkQueue, photo: str, database: Database
) -> None:
    (column,) = queue.columns()

    def claim(size: int) -> set[int]:
        rows = queue.claim(column, uuid.uuid4(), size=size, lease=timedelta(minutes=1)).rows
        return {json.loads(row.key)[0] for row in rows}

    with connect(database.url) as slow, slow.transaction():
        slow.execute("INSERT INTO photo VALUES (11, '늦은.jpg')")  # waits for longer than what comes now
        connection.execute("INSERT INTO photo SELECT i, 'x.jpg' FROM generate_series(12, 20) i")
        assert claim(12) == {*range(1, 11), 12, 13}
    assert claim(4) == {14, 15, 16, 17}  # behind
    assert claim(4) == {18, 19, 20}  # no more there
    assert claim(4) == {11}
    assert claim(4) == set()
    connection.execute("INSERT INTO photo VALUES (21, 'x.jpg')")
    assert claim(4) == {21}


def test_rows_of_one_transaction_have_places_of_their_own(connection: psycopg.Connection, photo: str) -> None:
    with connection.transaction():
        connection.execute("INSERT INTO photo SELECT i, 'x.jpg' FROM generate_series(11, 500) i")
    places = connection.execute(
        "SELECT count(DISTINCT available_at) > 100 FROM thanopg.pending WHERE (key->0)::int > 10"
    )
    assert places.fetchone() == (True,)


def test_claims_are_found_by_the_index_whatever_the_statistics_say(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("ANALYZE thanopg.pending")  # of ten rows, which a plan would read in one go
    token = uuid.uuid4()
    before = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'pending'"
    with connection.transaction():
        connection.execute("SELECT thanopg.claim(1, %s, 4, '1 min')", (token,))
        connection.execute("SELECT thanopg.claim(1, %s, 4, '1 min', alone => true)", (token,))
        assert connection.execute(before).fetchone() == (0,)
