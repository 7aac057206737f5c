"""`thanopg index` takes the memory that a graph needs, at most what the server has to spare, and then builds it."""

from __future__ import annotations

import psycopg
import pytest

from tests.databases import Database
from tests.working import register_fake
from thanopg.cli.index import MAKE_ROOM, ROOM, build
from thanopg.models.fake import FakeEmbedder

ROWS = 5000
NEEDED = ROOM["shared"] + round(1.05 * ROWS * (8 * 4 + ROOM["row"]))


@pytest.fixture
def embedded(connection: psycopg.Connection, model: FakeEmbedder) -> psycopg.Connection:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', index => 'later')")
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute(
        "INSERT INTO photo SELECT i, 'x', (SELECT array_agg(random()) FROM generate_series(1, 8) WHERE i > 0)::vector "
        "FROM generate_series(1, %s) i",
        (ROWS,),
    )
    return connection


def test_room(embedded: psycopg.Connection) -> None:
    for before, cache, expected in (
        ("1MB", "4GB", f"{NEEDED // 1024}kB"),
        ("64MB", "4GB", "64MB"),
        ("1MB", "8MB", "2MB"),
    ):
        embedded.execute("SELECT set_config('maintenance_work_mem', %s, false)", (before,))
        embedded.execute("SELECT set_config('effective_cache_size', %s, false)", (cache,))
        embedded.execute("SET max_parallel_workers = 6")
        embedded.execute(MAKE_ROOM.encode(), {**ROOM, "embedding": 1})
        settings = embedded.execute(
            "SELECT current_setting('maintenance_work_mem'), current_setting('max_parallel_maintenance_workers')"
        ).fetchone()
        assert settings == (expected, "3")


def test_too_little_room_is_said(
    embedded: psycopg.Connection, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    build(database.url, embedded, 1, "photo.fake_fake", "missing")
    assert "note" not in capsys.readouterr().err
    embedded.execute("DROP INDEX photo_embedding_1; SET maintenance_work_mem = '1MB'; SET effective_cache_size = '4MB'")
    build(database.url, embedded, 1, "photo.fake_fake", "missing")
    said = capsys.readouterr().err
    assert f"takes {round(NEEDED / 1024)} kB and has room for 1024 kB" in said
    assert "maintenance_work_mem" in said


@pytest.mark.parametrize("type, policy", [("vector", "later"), ("halfvec", "later"), ("vector", "binary")])
def test_the_room_is_enough(connection: psycopg.Connection, type: str, policy: str) -> None:
    """What pgvector says once its graph is larger; with half of the room it says so."""
    register_fake(connection, 32)
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute(
        "SELECT add_image_embedding('photo', 'image_path', 'fake', type => %s, index => 'later')", (type,)
    )
    connection.execute("ALTER TABLE photo DISABLE TRIGGER USER")
    connection.execute(
        "INSERT INTO photo SELECT i, 'x', (SELECT array_agg(random() - 0.5) FROM generate_series(1, 32) WHERE i > 0)"
        "::vector FROM generate_series(1, %s) i",
        (ROWS,),
    )
    connection.execute("SELECT set_index('photo', 'fake_fake', %s)", (policy,))
    connection.execute("DROP INDEX IF EXISTS photo_embedding_1")  # of few rows it is there at once
    heard: list[str] = []
    connection.add_notice_handler(lambda diagnostic: heard.append(diagnostic.message_primary or ""))
    connection.execute("SET maintenance_work_mem = '1MB'")
    connection.execute("ALTER TABLE photo SET (parallel_workers = 2)")  # together they need more than one alone
    connection.execute(MAKE_ROOM.encode(), {**ROOM, "embedding": 1})
    ((statement, room),) = connection.execute(
        "SELECT thanopg.index_statement(1), pg_size_bytes(current_setting('maintenance_work_mem'))"
    ).fetchall()
    connection.execute(statement)
    assert heard == []
    connection.execute("DROP INDEX photo_embedding_1")
    connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", (f"{room // 2048}kB",))
    connection.execute(statement)
    assert [text for text in heard if "no longer fits" in text]


def test_build_leaves_the_session_as_it_was(embedded: psycopg.Connection, database: Database) -> None:
    before = embedded.execute("SHOW maintenance_work_mem").fetchall()
    build(database.url, embedded, 1, "photo.fake_fake", "missing")
    assert embedded.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
    assert embedded.execute("SHOW maintenance_work_mem").fetchall() == before


def test_broken_index_is_replaced(embedded: psycopg.Connection, database: Database) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        embedded.execute("SET statement_timeout = 1")
        embedded.execute(embedded.execute("SELECT thanopg.index_statement(1, true)").fetchone()[0].encode())  # type: ignore[index]
    embedded.execute("RESET statement_timeout")
    (state,) = embedded.execute("SELECT index FROM embedding_status").fetchone() or ("",)
    build(database.url, embedded, 1, "photo.fake_fake", str(state))
    assert embedded.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
