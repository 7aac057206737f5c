"""What a role may do that is neither owner nor superuser."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Database
from tests.running_service import RunningService
from thanopg.database.connect import connect

READER = """
    GRANT USAGE ON SCHEMA thanopg TO {role};
    GRANT SELECT ON thanopg.model, thanopg.embedding_column, thanopg.embedding_status, thanopg.failure TO {role};
    GRANT EXECUTE ON FUNCTION thanopg.service_call TO {role};
"""


@pytest.fixture
def role(database: Database, superuser_connection: psycopg.Connection) -> Iterator[str]:
    name = f"app_{database.name}"
    superuser_connection.execute(f"CREATE ROLE {name}")
    superuser_connection.execute(f"GRANT {name} TO thanopg_owner")
    yield name
    superuser_connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def stranger(database: Database, role: str) -> Iterator[psycopg.Connection]:
    """A session with no rights of its own."""
    with connect(database.url, autocommit=True) as session:
        session.execute(f"SET ROLE {role}")
        yield session


@pytest.fixture
def photo(connection: psycopg.Connection, service: RunningService) -> str:
    connection.execute("SELECT create_model('fake', source => 'fake:8', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("INSERT INTO photo VALUES (1, 'a.jpg', array_fill(0.5::real, ARRAY[8])::vector)")
    return "photo"


def test_a_stranger_may_nothing(stranger: psycopg.Connection, photo: str) -> None:
    for statement in (
        "SELECT thanopg.service_call('SELECT 1')",
        "SELECT thanopg.embed_text('x', 'fake')",
        "SELECT * FROM thanopg.model",
        "SELECT thanopg.native_call('host=localhost', 'SELECT 1')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stranger.execute(statement.encode())


def test_usage_of_the_schema_opens_no_definer_function(
    connection: psycopg.Connection, stranger: psycopg.Connection, role: str, photo: str
) -> None:
    connection.execute(f"GRANT USAGE ON SCHEMA thanopg TO {role}")
    for statement in ("SELECT thanopg.service_call('SELECT 1')", "SELECT thanopg.native_call('', '')"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stranger.execute(statement.encode())


def test_an_application_writes_rows_without_knowing_of_us(
    connection: psycopg.Connection, stranger: psycopg.Connection, role: str, photo: str
) -> None:
    connection.execute(f"GRANT SELECT, INSERT, UPDATE ON photo TO {role}")
    stranger.execute("INSERT INTO photo VALUES (2, 'b.jpg')")
    stranger.execute("UPDATE photo SET image_path = 'c.jpg' WHERE id = 1")
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (2,)


def test_a_reader_searches_what_it_may_read(
    connection: psycopg.Connection, stranger: psycopg.Connection, role: str, photo: str
) -> None:
    connection.execute(READER.format(role=role).encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("SELECT * FROM search_image('x', 'fake')")
    assert stranger.execute("SELECT rows FROM embedding_status").fetchone() == (None,)
    connection.execute(f"GRANT SELECT ON photo TO {role}")
    assert stranger.execute("SELECT key FROM search_image('x', 'fake')").fetchall() == [({"id": 1},)]
    assert stranger.execute("SELECT rows FROM embedding_status").fetchone() == (1,)


def test_the_password_cannot_be_read(
    connection: psycopg.Connection, stranger: psycopg.Connection, role: str, photo: str
) -> None:
    connection.execute(READER.format(role=role).encode())
    shown = stranger.execute("SELECT umoptions FROM pg_user_mappings WHERE srvname = 'thanopg_service'").fetchall()
    assert shown and all(options is None for (options,) in shown)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("SELECT * FROM pg_user_mapping")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("ALTER SERVER thanopg_service OPTIONS (SET host '/tmp')")
