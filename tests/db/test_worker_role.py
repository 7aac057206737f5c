"""A worker that owns nothing does a worker's work, and no more."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.command import wait_for
from tests.databases import Database
from tests.db.conftest import url_of
from tests.working import picture_uri, work_off
from thanopg.cli.stack.tending import Tending, tend
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.errors import ImageError
from thanopg.worker.claim import Made, Written
from thanopg.worker.queue import WorkQueue

VECTOR = "[" + ",".join(["0.5"] * 4 + ["0"] * 4) + "]"
ENABLED = "SELECT tgenabled::text FROM pg_trigger WHERE tgfoid = 'thanopg.enqueue()'::regprocedure ORDER BY tgname"


@pytest.mark.parametrize("security", ["", "ENABLE", "FORCE"])
def test_the_worker_role_does_all_of_a_worker_s_work(
    database: Database,
    connection: Connection,
    superuser_connection: Connection,
    role: str,
    three_photos: str,
    security: str,
) -> None:
    superuser_connection.execute(f"GRANT thanopg_worker TO {role}")
    connection.execute('CREATE TABLE "Weird ""name" (a text, b uuid, "Bild" bytea, other text, PRIMARY KEY (a, b))')
    if security:
        connection.execute('ALTER TABLE "Weird ""name" ENABLE ROW LEVEL SECURITY')
        connection.execute(f'ALTER TABLE "Weird ""name" {security} ROW LEVEL SECURITY')
    connection.execute("""SELECT add_image_embedding('"Weird ""name"', 'Bild', 'fake', column_name => 'v')""")
    connection.execute(
        """SELECT add_caption('"Weird ""name"', 'Bild', 'words', column_name => 'c', attributes_column => 'At "t')"""
    )
    connection.execute(
        'INSERT INTO "Weird ""name" SELECT i::text, gen_random_uuid(), \'x\' FROM generate_series(1, 3) i'
        if security != "FORCE"
        else "SELECT 1"
    )
    superuser_connection.execute(
        'INSERT INTO "Weird ""name" SELECT i::text, gen_random_uuid(), \'x\' FROM generate_series(4, 5) i'
    )
    expected = 2 if security == "FORCE" else 5
    queue = WorkQueue(url_of(database, role))
    try:
        column = queue.columns()[1]
        claim = queue.claim(column, size=10, lease=timedelta(minutes=1), token=uuid.uuid4())
        assert len(claim.rows) == expected and claim.rows[0].source == b"x"
        assert queue.extend(column, claim.token, claim.keys, lease=timedelta(minutes=1)) == expected
        written = [Written(row=row, made=Made(VECTOR), content_hash=b"h", size=1) for row in claim.rows[1:]]
        assert len(queue.finish(column, claim.token, written)) == expected - 1
        fault = ImageError("not_an_image", "no")
        assert queue.fail(column, claim.token, claim.rows[0], fault, retry_after=None, clear_vector=True)
        assert queue.reconcile(column, deep=True) == 0
        captions = queue.columns()[2]
        claim = queue.claim(captions, size=10, lease=timedelta(minutes=1), token=uuid.uuid4())
        said = [Written(row=row, made=Made("말", '{"a": 1}'), content_hash=b"h", size=1) for row in claim.rows[1:]]
        assert len(queue.finish(captions, claim.token, said)) == expected - 1
        assert queue.fail(captions, claim.token, claim.rows[0], fault, retry_after=None, clear_vector=True)
        assert queue.reconcile(captions, deep=True) == 0
    finally:
        queue.close()
    rows = superuser_connection.execute('SELECT count(*), count(v) FROM "Weird ""name"').fetchone()
    assert rows == (expected, expected - 1)
    words = superuser_connection.execute('SELECT count(c), count("At ""t"->>\'a\') FROM "Weird ""name"').fetchone()
    assert words == (expected - 1, expected - 1)
    with connect(url_of(database, role), autocommit=True) as session:
        for statement in (
            'SELECT other FROM "Weird ""name"',
            'UPDATE "Weird ""name" SET a = \'x\'',
            "DELETE FROM photo",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(statement.encode())
    superuser_connection.execute("""SELECT drop_embedding('"Weird ""name"', 'v')""")
    superuser_connection.execute("""SELECT drop_embedding('"Weird ""name"', 'c', keep_column => true)""")
    left = superuser_connection.execute(
        "SELECT count(*) FROM pg_attribute WHERE attrelid = '\"Weird \"\"name\"'::regclass AND attacl <> '{}'"
    )
    assert left.fetchone() == (0,)
    assert superuser_connection.execute("SELECT count(*) FROM pg_policy").fetchone() == (0,)


@pytest.mark.parametrize("policy", ["none", "restrictive"])
def test_rows_that_a_policy_hides_are_an_error_to_a_worker_and_stay_in_the_queue(
    database: Database,
    connection: Connection,
    superuser_connection: Connection,
    role: str,
    three_photos: str,
    policy: str,
) -> None:
    superuser_connection.execute(f"GRANT thanopg_worker TO {role}")
    connection.execute("ALTER TABLE photo ENABLE ROW LEVEL SECURITY")
    if policy == "restrictive":
        connection.execute("SELECT thanopg.admit_worker(1)")
        connection.execute("CREATE POLICY few ON photo AS RESTRICTIVE USING (seller = 'lee')")
    queue = WorkQueue(url_of(database, role))
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may hide rows"):
            queue.claim(queue.columns()[0], size=10, lease=timedelta(minutes=1), token=uuid.uuid4())
    finally:
        queue.close()
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (2,)


@pytest.fixture
def worker(database: Database, superuser_connection: Connection, role: str) -> str:
    """The URL of a role that is a worker and nothing else."""
    superuser_connection.execute(f"GRANT thanopg_worker TO {role}")
    return url_of(database, role)


@pytest.fixture
def queue(worker: str) -> Iterator[WorkQueue]:
    made = WorkQueue(worker)
    yield made
    made.close()


def test_everybody_sees_how_many_workers_there_are(connection: Connection, queue: WorkQueue, worker: str) -> None:
    """Also those that log in as somebody else, whose sessions pg_stat_activity hides."""

    def count() -> int:
        row = connection.execute("SELECT worker_count()").fetchone()
        assert row is not None
        return int(row[0])

    assert count() == 0
    queue.announce()
    assert count() == 1
    another = WorkQueue(worker)
    another.announce()
    assert count() == 2
    another.close()
    wait_for(lambda: count() == 1)


def test_triggers_are_mended_by_the_tables_owner(
    server: EmbeddedServer,
    database: Database,
    connection: Connection,
    queue: WorkQueue,
    three_photos: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute("ALTER TABLE photo ENABLE TRIGGER USER")
    with caplog.at_level(logging.WARNING, logger="thanopg.worker"):
        queue.mend(queue.columns()[0])
    assert "triggers of public.photo were dropped, or do not fire always; as its owner: " in caplog.text
    assert connection.execute(ENABLED).fetchall() == [("O",), ("O",)]
    home = EmbeddedServer(server.home.path)
    with connect(home.url, autocommit=True) as own:  # where nothing is to be mended, and nothing is installed
        assert own.execute("SELECT to_regclass('thanopg.embedding')").fetchone() == (None,)
    with caplog.at_level(logging.WARNING, logger="thanopg.cli"):
        Tending(every=0).look_after(home)
    assert "triggers were not looked after: " in caplog.text, "the stack goes on"
    tend(database.url)
    assert connection.execute(ENABLED).fetchall() == [("A",), ("A",)]


def test_the_trigger_of_a_dropped_column_is_cleared_by_the_tables_owner(
    database: Database, connection: Connection, worker: str, three_photos: str
) -> None:
    connection.execute("ALTER TABLE photo DROP COLUMN fake_base CASCADE")
    work_off(worker)  # forgets the column
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)
    connection.execute("UPDATE photo SET id = id + 10")  # the trigger that is left does no harm
    assert connection.execute(ENABLED).fetchall() == [("A",)]
    tend(database.url)
    assert connection.execute(ENABLED).fetchall() == []


def test_a_worker_works_as_nobody_but_itself(
    database: Database, connection: Connection, worker: str, role: str, three_photos: str
) -> None:
    """A trigger of the user's that fires for a vector has the worker's rights; too few of them are no row's fault."""
    connection.execute(
        "CREATE TABLE seen (who text); CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO seen VALUES (current_user); RETURN NULL; END $$; "
        "CREATE TRIGGER see AFTER UPDATE OF fake_base ON photo FOR EACH ROW EXECUTE FUNCTION see()"
    )
    connection.execute("DELETE FROM photo WHERE id > 1")
    connection.execute("UPDATE photo SET image_path = %s", (picture_uri(1),))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table seen"):
        work_off(worker)
    charged = connection.execute("SELECT attempts + lost_leases, error_type FROM thanopg.pending").fetchall()
    assert charged == [(0, None)]
    connection.execute("GRANT INSERT ON seen TO thanopg_worker")
    assert work_off(worker).embedded == 1
    assert connection.execute("SELECT who FROM seen").fetchall() == [(role,)]
