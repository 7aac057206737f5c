"""What people do to their tables afterwards: rename, move, drop, change types. Each makes sense or says what to do."""

from __future__ import annotations

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.db.conftest import DIMENSIONS
from tests.working import picture, picture_uri, vector, work_off
from thanopg.models.fake import FakeEmbedder

ROWS = 5


@pytest.fixture
def embedded(connection: psycopg.Connection, database: Database, model: FakeEmbedder) -> str:
    """Table photo with ROWS embedded rows, embedding number 1."""
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    for n in range(ROWS):
        connection.execute("INSERT INTO photo VALUES (%s, %s)", (n, picture_uri(n)))
    assert work_off(database.url).embedded == ROWS
    return "photo"


def vectors(
    connection: psycopg.Connection, table: str = "photo", key: str = "id", column: str = "fake_fake"
) -> dict[int, list[float] | None]:
    rows = connection.execute(f"SELECT {key}, {column}::real[] FROM {table}".encode()).fetchall()
    return {n: None if found is None else np.float32(found).tolist() for n, found in rows}


def counts(connection: psycopg.Connection) -> tuple[int, ...]:
    """Rows of the registry, the queue and the provenance, and triggers of ours."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM thanopg.embedding), (SELECT count(*) FROM thanopg.pending), "
        "(SELECT count(*) FROM thanopg.provenance), "
        "(SELECT count(*) FROM pg_trigger WHERE tgfoid = 'thanopg.enqueue()'::regprocedure)"
    ).fetchone()
    assert row is not None
    return row


def test_everything_renamed_and_moved(connection: psycopg.Connection, database: Database, embedded: str) -> None:
    connection.execute(
        'ALTER TABLE photo RENAME TO "My ""photos"; '
        'ALTER TABLE "My ""photos" RENAME id TO "Number"; '
        'ALTER TABLE "My ""photos" RENAME image_path TO "the picture"; '
        'ALTER TABLE "My ""photos" RENAME fake_fake TO v; '
        'CREATE SCHEMA "Other, place"; ALTER TABLE "My ""photos" SET SCHEMA "Other, place"'
    )
    table = '"Other, place"."My ""photos"'
    connection.execute(f'INSERT INTO {table} ("Number", "the picture") VALUES (7, %s)'.encode(), (picture_uri(7),))
    connection.execute(f'UPDATE {table} SET "Number" = 8 WHERE "Number" = 0'.encode())
    assert work_off(database.url).embedded == 2
    found = vectors(connection, table, '"Number"', "v")
    assert found == {
        **{n: vector(n, DIMENSIONS) for n in range(1, ROWS)},
        7: vector(7, DIMENSIONS),
        8: vector(0, DIMENSIONS),
    }
    names = connection.execute("SELECT key_names::text[], source_name, column_name FROM thanopg.embedding").fetchone()
    assert names == (["Number"], "the picture", "v")  # as a dump taken now will need them


def test_a_dropped_table_leaves_nothing(connection: psycopg.Connection, database: Database, embedded: str) -> None:
    connection.execute("UPDATE photo SET image_path = %s", (picture_uri(9),))
    connection.execute("DROP TABLE photo")
    assert work_off(database.url).embedded == 0  # and ends
    assert counts(connection) == (0, 0, 0, 0)


def test_a_model_whose_table_was_dropped_can_be_dropped(connection: psycopg.Connection, embedded: str) -> None:
    connection.execute("DROP TABLE photo")
    connection.execute("SELECT drop_model('fake')")
    assert counts(connection) == (0, 0, 0, 0)


def test_a_model_in_use_is_kept(connection: psycopg.Connection, embedded: str) -> None:
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=r"is used by photo\.fake_fake"):
        connection.execute("SELECT drop_model('fake')")
    connection.execute("SELECT drop_embedding('photo', 'fake_fake')")
    connection.execute("SELECT drop_model('fake')")
    assert counts(connection) == (0, 0, 0, 0)


@pytest.mark.parametrize("column", ["fake_fake", "image_path"])
def test_a_dropped_column_leaves_nothing(
    connection: psycopg.Connection, database: Database, embedded: str, column: str
) -> None:
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        connection.execute(f"ALTER TABLE photo DROP COLUMN {column}".encode())
    connection.execute(f"ALTER TABLE photo DROP COLUMN {column} CASCADE".encode())
    connection.execute("UPDATE photo SET id = id + 10")
    work_off(database.url)
    assert counts(connection) == (0, 0, 0, 0)
    connection.execute("UPDATE photo SET id = id + 10")


@pytest.mark.parametrize(
    ("change", "sources"),
    [
        ("ALTER COLUMN image_path TYPE bytea USING decode(split_part(image_path, ',', 2), 'base64')", picture),
        ("ALTER COLUMN id TYPE bigint", picture_uri),
        ("ALTER COLUMN image_path TYPE varchar(1000)", picture_uri),
    ],
)
def test_a_type_changes(
    connection: psycopg.Connection, database: Database, embedded: str, change: str, sources: object
) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="used in a trigger") as refused:
        connection.execute(f"ALTER TABLE photo {change}".encode())
    assert "thanopg_1_" in (refused.value.diag.message_detail or "")
    # as the guarantees say: without the triggers, in one transaction; a worker or install puts them back
    connection.execute(
        f"BEGIN; DROP TRIGGER thanopg_1_insert ON photo; DROP TRIGGER thanopg_1_update ON photo; "
        f"ALTER TABLE photo {change}; SELECT thanopg.mend_triggers(1); COMMIT".encode()
    )
    connection.execute("UPDATE photo SET image_path = %s WHERE id = 0", (sources(7),))  # type: ignore[operator]
    connection.execute("INSERT INTO photo VALUES (8, %s)", (sources(8),))  # type: ignore[operator]
    work_off(database.url)
    pictures = {**{n: n for n in range(1, ROWS)}, 0: 7, 8: 8}
    assert vectors(connection) == {n: vector(seed, DIMENSIONS) for n, seed in pictures.items()}
    assert counts(connection) == (1, 0, ROWS + 1, 2)


def test_triggers_that_a_load_switched_are_mended(
    connection: psycopg.Connection, database: Database, embedded: str
) -> None:
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute("UPDATE photo SET image_path = %s WHERE id = 1", (picture_uri(11),))
    connection.execute("ALTER TABLE photo ENABLE TRIGGER USER")  # and now not ALWAYS any more
    assert work_off(database.url).embedded == 1
    assert vectors(connection)[1] == vector(11, DIMENSIONS)
    states = connection.execute("SELECT tgenabled::text FROM pg_trigger WHERE tgname LIKE 'thanopg%'").fetchall()
    assert states == [("A",), ("A",)]


def test_disabled_triggers_stay_disabled(connection: psycopg.Connection, database: Database, embedded: str) -> None:
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    work_off(database.url)
    states = connection.execute("SELECT tgenabled::text FROM pg_trigger WHERE tgname LIKE 'thanopg%'").fetchall()
    assert states == [("D",), ("D",)]


def test_mending_waits_for_nobody(
    connection: psycopg.Connection, database: Database, superuser_connection: psycopg.Connection, embedded: str
) -> None:
    connection.execute("ALTER TABLE photo ENABLE TRIGGER USER")
    with superuser_connection.transaction():
        superuser_connection.execute("UPDATE photo SET note = 'x'")
        connection.execute("SET lock_timeout = '1ms'")
        assert connection.execute("SELECT thanopg.mend_triggers(1)").fetchone() == (False,)
    assert connection.execute("SELECT thanopg.mend_triggers(1)").fetchone() == (True,)


def test_forgetting_waits_for_nobody(
    connection: psycopg.Connection, superuser_connection: psycopg.Connection, embedded: str
) -> None:
    connection.execute("ALTER TABLE photo DROP COLUMN fake_fake CASCADE")
    with superuser_connection.transaction():
        superuser_connection.execute("UPDATE photo SET id = id + 10")
        connection.execute("SET lock_timeout = '1ms'")
        assert connection.execute("SELECT thanopg.forget_dropped()").fetchone() == (0,)
    assert connection.execute("SELECT thanopg.forget_dropped()").fetchone() == (1,)
    assert counts(connection) == (0, 0, 0, 0)


def test_a_key_that_comes_back_with_another_rows_vector(
    connection: psycopg.Connection, database: Database, embedded: str
) -> None:
    # row 2 takes the key and the picture of row 1, but brings its own vector along
    connection.execute("DELETE FROM photo WHERE id = 1")
    connection.execute("UPDATE photo SET id = 1, image_path = %s WHERE id = 2", (picture_uri(1),))
    connection.execute(
        "INSERT INTO photo (id, image_path, fake_fake) SELECT 2, %s, fake_fake FROM photo WHERE id = 4",
        (picture_uri(2),),
    )
    work_off(database.url)
    assert vectors(connection) == {n: vector(n, DIMENSIONS) for n in range(ROWS)}


def test_refresh_sees_a_vector_that_no_worker_wrote(
    connection: psycopg.Connection, database: Database, embedded: str
) -> None:
    connection.execute("UPDATE photo SET fake_fake = (SELECT fake_fake FROM photo WHERE id = 4) WHERE id = 3")
    connection.execute("SELECT refresh('photo')")
    tally = work_off(database.url)
    assert (tally.embedded, tally.unchanged) == (1, ROWS - 1)
    assert vectors(connection)[3] == vector(3, DIMENSIONS)


KEYS = {
    "numeric": "12345678901234567890.123456789012345678901",
    "double precision": "0.1",
    "timestamptz": "2024-10-27 02:30:00.123456+02",
    "bytea": "\\x00ff",
    "interval": "1 mon 2 days 03:04:05.678",
    '"char"': "x",
    "date": "2024-02-29",
    "inet": "10.1.2.3/8",
}


def test_keys_of_every_type(connection: psycopg.Connection, database: Database, model: FakeEmbedder) -> None:
    """One row has one key, whatever a session's display settings are, and a number keeps all its digits."""
    for n, type_name in enumerate(KEYS):
        connection.execute(f"CREATE TABLE keyed_{n} (id {type_name} PRIMARY KEY, image_path text)".encode())
        connection.execute("SELECT add_image_embedding(%s, 'image_path', 'fake')", (f"keyed_{n}",))
    for settings in ("", "SET TimeZone = 'Asia/Seoul'; SET DateStyle = 'SQL, DMY'; SET extra_float_digits = 0"):
        connection.execute(settings.encode() or b"SELECT")
        for n, (type_name, value) in enumerate(KEYS.items()):
            literal = f"'{value}'" if not settings else f"(SELECT id FROM keyed_{n})"
            connection.execute(
                f"INSERT INTO keyed_{n} VALUES ({literal}::{type_name}, %s) "
                "ON CONFLICT (id) DO UPDATE SET image_path = EXCLUDED.image_path, fake_fake = NULL".encode(),
                (picture_uri(3 + len(settings)),),
            )
        connection.execute("SELECT thanopg.reconcile(id, true) FROM thanopg.embedding")
        assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (len(KEYS),)
        assert work_off(database.url).embedded == len(KEYS)
    assert counts(connection) == (len(KEYS), 0, len(KEYS), 2 * len(KEYS))


def test_rights_taken_away_charge_nobody(connection: psycopg.Connection, database: Database, embedded: str) -> None:
    connection.execute("UPDATE photo SET image_path = %s", (picture_uri(9),))
    connection.execute("REVOKE ALL ON photo FROM thanopg_owner")
    for _ in range(3):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            work_off(database.url)
    charged = connection.execute(
        "SELECT FROM thanopg.pending WHERE claimed_by IS NOT NULL OR lost_leases + attempts > 0"
    )
    assert charged.fetchall() == []
    connection.execute("GRANT ALL ON photo TO thanopg_owner")
    assert work_off(database.url).embedded == ROWS


def test_the_servers_own_absence_charges_nobody(connection: psycopg.Connection, embedded: str) -> None:
    connection.execute("UPDATE photo SET image_path = 'x'")
    # leases that ended before the server last started
    connection.execute(
        "UPDATE thanopg.pending "
        "SET claimed_by = gen_random_uuid(), available_at = pg_postmaster_start_time() - interval '1 s'"
    )
    row = connection.execute("SELECT lost_leases FROM thanopg.claim(1, gen_random_uuid(), 1, '20 s', true)").fetchone()
    assert row == (0,)
