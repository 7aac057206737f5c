"""The queue's protocol, one interleaving at a time: who may write, and who may not any more."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.types.json import Jsonb

from thanopg.database.connect import connect
from thanopg.models.fake import FakeEmbedder

VECTOR = "[" + ",".join(["0.5"] * 4 + ["0"] * 4) + "]"


@pytest.fixture
def other(database: object) -> Iterator[psycopg.Connection]:
    """A second session, in transactions."""
    with connect(database.url) as made:  # type: ignore[attr-defined]
        made.autocommit = True
        yield made


def claim(
    connection: psycopg.Connection, *, size: int = 100, lease: str = "1 minute", alone: bool = False
) -> tuple[uuid.UUID, list[object]]:
    token = uuid.uuid4()
    rows = connection.execute(
        "SELECT key FROM thanopg.claim(1, %s, %s, %s, %s)", (token, size, lease, alone)
    ).fetchall()
    return token, [key for (key,) in rows]


def finish(
    connection: psycopg.Connection, token: uuid.UUID, sources: dict[int, str | None], fingerprint: str
) -> list[object]:
    rows = connection.execute(
        "SELECT thanopg.finish(1, %s, %s, %s, %s::bytea[], %s::text[], %s::bytea[], %s::bigint[], %s::timestamptz[])",
        (
            token,
            fingerprint,
            [Jsonb([key]) for key in sources],
            [None if s is None else hashlib.sha256(s.encode()).digest() for s in sources.values()],
            [None if s is None else VECTOR for s in sources.values()],
            [None if s is None else b"content" for s in sources.values()],
            [1] * len(sources),
            [None] * len(sources),
        ),
    ).fetchall()
    return [key for (key,) in rows]


def embedded(connection: psycopg.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT id FROM photo WHERE fake_fake IS NOT NULL ORDER BY id").fetchall()]


def test_claim_finish(connection: psycopg.Connection, photo: str, model: FakeEmbedder) -> None:
    token, keys = claim(connection, size=2)
    assert keys == [[1], [2]]
    assert finish(connection, token, {1: "picture/1.jpg", 2: "picture/2.jpg"}, model.info.fingerprint) == [[1], [2]]
    assert embedded(connection) == [1, 2]
    status = connection.execute("SELECT rows, embedded, pending, failed FROM embedding_status").fetchone()
    assert status == (10, 2, 8, 0)
    assert connection.execute("SELECT count(*) FROM thanopg.provenance").fetchone() == (2,)


def test_a_changed_source_is_not_overwritten(connection: psycopg.Connection, photo: str, model: FakeEmbedder) -> None:
    token, _ = claim(connection)
    connection.execute("UPDATE photo SET image_path = 'new' WHERE id = 1")
    assert finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint) == []
    assert finish(connection, token, {1: "new"}, model.info.fingerprint) == []  # the token is gone too
    assert claim(connection)[1] == [[1]]


def test_a_change_there_and_back_takes_the_token(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, _ = claim(connection)
    connection.execute("UPDATE photo SET image_path = 'new' WHERE id = 1")
    connection.execute("UPDATE photo SET image_path = 'picture/1.jpg' WHERE id = 1")
    assert finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint) == []
    assert claim(connection)[1] == [[1]]


def test_a_rolled_back_change_leaves_the_claim(
    connection: psycopg.Connection, other: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, _ = claim(connection)
    with other.transaction(force_rollback=True):
        other.execute("UPDATE photo SET image_path = 'new' WHERE id = 1")
        assert finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint) == []  # locked: nobody waits
    assert finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint) == [[1]]


def test_a_worker_never_waits(
    connection: psycopg.Connection, other: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, keys = claim(connection)
    connection.execute("SET lock_timeout = '1ms'")
    with other.transaction(force_rollback=True):
        other.execute("SELECT FROM photo FOR UPDATE; SELECT FROM thanopg.pending FOR UPDATE")
        packed = [Jsonb(key) for key in keys]
        assert claim(connection)[1] == []
        assert finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint) == []
        for statement in ("forget(1, %s, %s)", "release(1, %s, %s, '0')", "extend(1, %s, %s, '1 minute')"):
            assert connection.execute(f"SELECT thanopg.{statement}", (token, packed)).fetchone() == (0,)


def test_a_lost_lease_makes_the_row_suspect(connection: psycopg.Connection, photo: str, model: FakeEmbedder) -> None:
    stale, keys = claim(connection, lease="0")
    assert len(keys) == 10
    assert claim(connection)[1] == []  # suspects do not travel in batches
    fresh, keys = claim(connection, lease="0", alone=True)
    assert len(keys) == 1
    key = keys[0][0]  # type: ignore[index]
    assert connection.execute("SELECT lost_leases FROM thanopg.pending WHERE key = %s", (Jsonb([key]),)).fetchone() == (
        1,
    )
    assert finish(connection, stale, {key: f"picture/{key}.jpg"}, model.info.fingerprint) == []
    assert finish(connection, fresh, {key: f"picture/{key}.jpg"}, model.info.fingerprint) == [[key]]


def test_another_models_vectors_are_refused(connection: psycopg.Connection, photo: str) -> None:
    token, _ = claim(connection)
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        finish(connection, token, {1: "picture/1.jpg"}, "another")


def test_null_source_clears_vector_and_provenance(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, _ = claim(connection)
    finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint)
    connection.execute("UPDATE photo SET image_path = NULL WHERE id = 1")
    token, keys = claim(connection)
    assert keys == [[1]]
    assert finish(connection, token, {1: None}, model.info.fingerprint) == [[1]]
    assert embedded(connection) == []
    assert connection.execute("SELECT count(*) FROM thanopg.provenance").fetchone() == (0,)


@pytest.mark.parametrize(("clear", "left"), [(True, []), (False, [1])])
def test_failures(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder, clear: bool, left: list[int]
) -> None:
    token, _ = claim(connection)
    finish(connection, token, {1: "picture/1.jpg"}, model.info.fingerprint)
    connection.execute("UPDATE photo SET image_path = 'broken' WHERE id = 1")
    token, _ = claim(connection)
    digest = hashlib.sha256(b"broken").digest()
    failed = connection.execute(
        "SELECT thanopg.fail(1, %s, '[1]', %s, 'truncated', 'image ends too early', NULL, %s)", (token, digest, clear)
    ).fetchone()
    assert failed == (True,)
    assert embedded(connection) == left
    assert connection.execute("SELECT key, error_type, attempts, next_attempt_at FROM failure").fetchall() == [
        ({"id": 1}, "truncated", 1, None)
    ]
    assert claim(connection)[1] == []
    assert connection.execute("SELECT retry('photo')").fetchone() == (1,)
    assert claim(connection)[1] == [[1]]


def test_reconcile_finds_what_triggers_did_not_see(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, _ = claim(connection)
    finish(connection, token, {n: f"picture/{n}.jpg" for n in range(1, 11)}, model.info.fingerprint)
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute("UPDATE photo SET image_path = 'new' WHERE id = 1")
    connection.execute("UPDATE photo SET image_path = NULL WHERE id = 2")
    connection.execute("UPDATE photo SET fake_fake = NULL WHERE id = 3")
    connection.execute("INSERT INTO photo VALUES (20, 'more')")
    connection.execute("DELETE FROM photo WHERE id = 4")
    connection.execute("SELECT thanopg.reconcile(1)")
    assert sorted(key for (key,) in connection.execute("SELECT key FROM thanopg.pending").fetchall()) == [
        [2],
        [3],
        [20],
    ]
    connection.execute("SELECT thanopg.reconcile(1, deep => true)")
    assert sorted(key for (key,) in connection.execute("SELECT key FROM thanopg.pending").fetchall()) == [
        [1],
        [2],
        [3],
        [20],
    ]
    assert connection.execute("SELECT count(*) FROM thanopg.provenance WHERE key = '[4]'").fetchone() == (0,)


def test_reconcile_finds_a_vector_that_no_worker_wrote(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    """As a restored row brings it along, or one that came while triggers were off: key and picture are as before."""
    token, _ = claim(connection)
    finish(connection, token, {n: f"picture/{n}.jpg" for n in range(1, 11)}, model.info.fingerprint)
    connection.execute("SELECT thanopg.reconcile(1, deep => true)")
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (0,)
    connection.execute("UPDATE photo SET fake_fake = array_fill(0.25::real, ARRAY[8])::vector WHERE id = 5")
    connection.execute("SELECT thanopg.reconcile(1, deep => true)")
    assert connection.execute("SELECT key FROM thanopg.pending").fetchall() == [([5],)]


def test_a_failure_ends_with_the_picture_that_no_trigger_saw_go(
    connection: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    """Set aside, with a vector or without; then the picture is taken away while triggers are off."""
    connection.execute(
        "UPDATE photo SET fake_fake = array_fill(0.5::real, ARRAY[8])::vector WHERE id = 2; "
        "UPDATE thanopg.pending SET error_type = 'missing', failed_at = now(), available_at = 'infinity'"
    )
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute("UPDATE photo SET image_path = NULL WHERE id IN (1, 2)")
    connection.execute("SELECT thanopg.reconcile(1)")
    waiting = connection.execute("SELECT key FROM thanopg.pending WHERE failed_at IS NULL").fetchall()
    assert waiting == [([2],)], "whose vector is to be taken away"
    failed = connection.execute("SELECT key FROM thanopg.pending WHERE failed_at IS NOT NULL ORDER BY key").fetchall()
    assert failed == [([n],) for n in range(3, 11)]


def test_refresh_queues_every_picture(connection: psycopg.Connection, photo: str, model: FakeEmbedder) -> None:
    token, _ = claim(connection)
    finish(connection, token, {n: f"picture/{n}.jpg" for n in range(1, 11)}, model.info.fingerprint)
    assert connection.execute("SELECT refresh('photo', filter => 'id <= 3')").fetchone() == (3,)
    read = connection.execute(
        "SELECT content_hash FROM thanopg.read_source(1, ARRAY(SELECT key FROM thanopg.pending))"
    ).fetchall()
    assert read == [(b"content",)] * 3  # so that the worker can tell that nothing has changed


def test_reconcile_never_waits(
    connection: psycopg.Connection, other: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    token, _ = claim(connection)
    finish(connection, token, {n: f"picture/{n}.jpg" for n in range(1, 11)}, model.info.fingerprint)
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute("UPDATE photo SET image_path = 'new'")
    connection.execute("DELETE FROM photo WHERE id = 10")
    connection.execute("ALTER TABLE photo ENABLE TRIGGER USER")
    connection.execute("SET lock_timeout = '1ms'")
    with other.transaction():
        other.execute("UPDATE photo SET image_path = 'newer' WHERE id <= 3")
        other.execute("INSERT INTO photo VALUES (10, 'newer')")
        other.execute("SELECT FROM thanopg.provenance WHERE key = '[10]' FOR UPDATE")
        connection.execute("SELECT thanopg.reconcile(1, deep => true)")
        assert connection.execute("SELECT retry()").fetchone() == (0,)
    queued = connection.execute("SELECT key FROM thanopg.pending ORDER BY key").fetchall()
    assert queued == [([n],) for n in range(1, 11)]


def test_finish_waits_for_the_table_before_it_holds_rows(
    connection: psycopg.Connection, other: psycopg.Connection, photo: str, model: FakeEmbedder
) -> None:
    """Otherwise a load that disables triggers and then updates would deadlock with it."""
    token, _ = claim(connection)
    sources: dict[int, str | None] = {n: f"picture/{n}.jpg" for n in range(1, 11)}
    stored: list[object] = []
    finishing = threading.Thread(
        target=lambda: stored.extend(finish(connection, token, sources, model.info.fingerprint))
    )
    with other.transaction():
        other.execute("ALTER TABLE photo DISABLE TRIGGER USER")
        finishing.start()
        waits = "SELECT FROM pg_locks WHERE relation = 'photo'::regclass AND NOT granted"
        deadline = time.monotonic() + 30
        while other.execute(waits).fetchone() is None:
            assert time.monotonic() < deadline
        other.execute("SET LOCAL lock_timeout = '5s'")
        other.execute("UPDATE photo SET image_path = 'new' WHERE id = 1")
    finishing.join(30)
    assert [1] not in stored  # its source is another one now
    assert len(stored) == 9
