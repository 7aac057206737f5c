"""ThanoSQL as somebody who may see some rows: neither rows nor counts nor texts of the others come through it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from PIL import Image

from tests.databases import Database
from tests.db.conftest import url_of
from thanopg.config import Settings
from thanopg.errors import StatementRefused, SyntaxNotUnderstood
from thanopg.thanosql.result import Images, Table
from thanopg.thanosql.session import Session

SEARCH = "SEARCH IMAGE text='x' USING fake AS SELECT * FROM photo"
SIMILARITY = "fake_base_similarity1"
LEAK = """
    CREATE FUNCTION pg_temp.leak(value anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001
    AS $$ BEGIN RAISE NOTICE 'leaked %', value; RETURN true; END $$
"""
"""cheaper than any policy, so that it would be run before one if it could"""


@pytest.fixture
def seen(
    database: Database,
    connection: psycopg.Connection,
    superuser_connection: psycopg.Connection,
    role: str,
    three_photos: str,
    tmp_path: Path,
) -> Iterator[Session]:
    """A session of a reader who sees rows 1 and 2 of photo; row 3, with its picture secret.jpg, is another's."""
    superuser_connection.execute(f"GRANT thanopg_reader TO {role}; CREATE SCHEMA own AUTHORIZATION {role}")
    connection.execute("UPDATE photo SET fake_base = array_fill(0.5::real, ARRAY[8])::vector")
    connection.execute(f"GRANT SELECT ON photo TO {role}; ALTER TABLE photo ENABLE ROW LEVEL SECURITY")
    connection.execute(f"CREATE POLICY own ON photo TO {role} USING (seller = 'kim')")
    connection.execute("ANALYZE photo")
    for name in ("a", "b", "secret"):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{name}.jpg")
    settings = Settings(home=tmp_path / "home", image_root=tmp_path, device="cpu")
    with Session(url_of(database, role), settings) as session:
        session.run(LEAK)
        session.run("SET search_path = own, public, thanopg")
        yield session
    superuser_connection.execute("DROP SCHEMA own CASCADE")


def rows_of(session: Session, statement: str) -> tuple[tuple[object, ...], ...]:
    result = session.run(statement)
    assert isinstance(result, Table)
    assert not [text for text in (*result.warnings, *result.notes) if "secret" in text or "lee" in text]
    return result.rows


SEARCHES = (
    f"SELECT id FROM ({SEARCH})",
    f"SELECT id FROM ({SEARCH}) WHERE pg_temp.leak(image_path)",
    f"SELECT id FROM ({SEARCH}) ORDER BY {SIMILARITY} DESC LIMIT 10",  # rewritten for the index
    f"SELECT id FROM ({SEARCH}) WHERE pg_temp.leak(image_path) ORDER BY {SIMILARITY} DESC LIMIT 10",
    f"SELECT id FROM ({SEARCH} WHERE pg_temp.leak(image_path)) ORDER BY {SIMILARITY} DESC LIMIT 10",
    f"SELECT id FROM ({SEARCH} WHERE pg_temp.leak(seller)) ORDER BY {SIMILARITY} DESC",
    "SELECT id FROM (SEARCH IMAGE texts=['x', 'y'] USING fake AS SELECT * FROM photo)",
    "SELECT id FROM (SEARCH IMAGE images='a.jpg' USING fake AS SELECT * FROM photo)",
    f"SELECT p.id FROM ({SEARCH}) s JOIN photo p ON pg_temp.leak(p.image_path) AND p.id = s.id",
)


def test_searches_find_what_may_be_seen(seen: Session) -> None:
    for statement in SEARCHES:
        assert sorted(rows_of(seen, statement)) == [(1,), (2,)], statement


def test_counts(seen: Session) -> None:
    assert rows_of(seen, f"SELECT count(*), max(id) FROM ({SEARCH})") == ((2, 2),)
    ranked = f"SELECT * FROM ({SEARCH}) ORDER BY {SIMILARITY} DESC LIMIT 3"
    assert rows_of(seen, f"SELECT count(*) FROM ({ranked}) r") == ((2,),)
    assert rows_of(seen, "SELECT rows, embedded, pending, failed FROM embedding_status") == ((2, 2, None, None),)
    listed = rows_of(seen, "SELECT estimated_rows FROM (LIST TABLE) WHERE table_name = 'photo'")
    assert listed == ((None,),)


def test_pictures_that_are_printed(seen: Session) -> None:
    for statement in (
        "PRINT IMAGE AS SELECT image_path FROM photo",
        "PRINT IMAGE AS SELECT image_path FROM photo WHERE pg_temp.leak(image_path)",
        f"PRINT IMAGE AS SELECT image_path FROM ({SEARCH}) ORDER BY {SIMILARITY} DESC LIMIT 10",
    ):
        printed = seen.run(statement)
        assert isinstance(printed, Images)
        assert (printed.total, sorted(str(picture.source) for picture in printed.pictures)) == (2, ["a.jpg", "b.jpg"])
        assert "secret" not in "".join(printed.warnings + printed.notes)


def test_texts_of_failures_and_of_errors(seen: Session) -> None:
    assert rows_of(seen, "SELECT * FROM failure") == ()
    for statement in (
        f"SELECT image_path::int FROM ({SEARCH})",
        f"SELECT id FROM ({SEARCH}) WHERE image_path::int > 0",
        f"SELECT id FROM ({SEARCH}) ORDER BY seller::int, {SIMILARITY} DESC LIMIT 3",
        "PRINT IMAGE AS SELECT (image_path::int)::text AS image_path FROM photo",
    ):
        with pytest.raises(StatementRefused) as refused:
            seen.run(statement)
        error = refused.value
        assert error.sqlstate == "22P02" and not {"secret", "lee"} & set(f"{error} {error.detail} {error.hint}".split())
        assert "secret" not in f"{error}{error.detail}{error.hint}"


CONVERTS = (
    "CONVERT USING fake AS SELECT * FROM photo",
    "CONVERT USING fake OPTIONS(table_name='mine') AS SELECT id, image_path FROM photo",
    "CONVERT USING fake OPTIONS(table_name='mine') AS SELECT id, image_path FROM photo WHERE pg_temp.leak(image_path)",
)


def test_a_reader_converts_nothing_and_learns_nothing(seen: Session, connection: psycopg.Connection) -> None:
    for statement in CONVERTS:
        with pytest.raises(SyntaxNotUnderstood) as refused:
            seen.run(statement)
        assert refused.value.sqlstate == "42501", statement
        assert "secret" not in f"{refused.value}{refused.value.hint}", statement
    assert rows_of(seen, "SELECT count(*) FROM pg_class WHERE relnamespace = 'own'::regnamespace") == ((0,),)
    queue = connection.execute("SELECT key, error_text FROM thanopg.pending ORDER BY key").fetchall()
    assert queue == [([2], None), ([3], "secret")]
