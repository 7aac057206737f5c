"""`thanopg index` takes the memory that a graph needs, at most what the server has to spare, and then builds it."""

from __future__ import annotations

import psycopg
import pytest

from tests.databases import Database
from thanopg.cli.index import GRAPH_BYTES, MAKE_ROOM, build
from thanopg.models.fake import FakeEmbedder

ROWS = 5000


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
    needed = ROWS * (8 * 4 + GRAPH_BYTES) // 1024
    for before, cache, expected in (("1MB", "4GB", f"{needed}kB"), ("64MB", "4GB", "64MB"), ("1MB", "8MB", "2MB")):
        embedded.execute("SELECT set_config('maintenance_work_mem', %s, false)", (before,))
        embedded.execute("SELECT set_config('effective_cache_size', %s, false)", (cache,))
        embedded.execute("SET max_parallel_workers = 6")
        embedded.execute(MAKE_ROOM.encode(), [GRAPH_BYTES, 1])
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
    assert f"takes {round(ROWS * (8 * 4 + GRAPH_BYTES) / 1024)} kB and has room for 1024 kB" in said
    assert "maintenance_work_mem" in said


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
