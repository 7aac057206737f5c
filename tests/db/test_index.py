"""On 20,000 rows the planner takes the HNSW index for what this project writes, and it finds what is near."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Database, clone
from tests.running_service import RunningService
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer

ROWS = 20_000


@pytest.fixture(scope="module")
def many(server: EmbeddedServer, template: str, service: RunningService) -> Iterator[Database]:
    """Table photo with 20,000 random vectors of 16 dimensions and an index; kind is one of a thousand."""
    with clone(server, template) as database, connect(database.url, autocommit=True) as connection:
        connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
        connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, kind int)")
        connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', index => 'none')")
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            "INSERT INTO photo SELECT i, i || '.jpg', i %% 1000, "
            "(SELECT array_agg(random() - 0.5)::vector(16) FROM generate_series(1, 16) WHERE i > 0) "
            "FROM generate_series(1, %s) i",
            (ROWS,),
        )
        (statement,) = connection.execute("SELECT thanopg.index_statement(1)").fetchone()
        connection.execute(statement)
        connection.execute("ANALYZE photo")
        yield database


@pytest.fixture
def session(many: Database) -> Iterator[psycopg.Connection]:
    with connect(many.url, autocommit=True) as made:
        yield made


def plan(session: psycopg.Connection, statement: str) -> str:
    return "\n".join(line for (line,) in session.execute("EXPLAIN " + statement).fetchall())  # type: ignore[operator]


def test_search_sql_uses_the_index(session: psycopg.Connection) -> None:
    (statement,) = session.execute("SELECT search_sql('a black cat', 'fake')").fetchone()
    assert "Index Scan using photo_embedding_1" in plan(session, statement)


def test_a_filter_uses_the_index(session: psycopg.Connection) -> None:
    (statement,) = session.execute("SELECT search_sql('a black cat', 'fake', filter => 'kind < 500')").fetchone()
    assert "Index Scan using photo_embedding_1" in plan(session, statement)


def test_the_scalar_subquery_uses_the_index(session: psycopg.Connection) -> None:
    statement = "SELECT id FROM photo ORDER BY fake_base <=> (SELECT embed_text('a black cat', 'fake')) LIMIT 5"
    assert "Index Scan using photo_embedding_1" in plan(session, statement)


def test_the_index_finds_what_the_exact_search_finds(session: psycopg.Connection) -> None:
    statement = "SELECT key->>'id' FROM search_image(%s, 'fake', 10, options => %s)"
    found = total = 0
    for n in range(20):
        near, exact = (
            {key for (key,) in session.execute(statement, (f"text {n}", options)).fetchall()}
            for options in ('{"ef_search": 200}', '{"exact": true}')
        )
        found += len(near & exact)
        total += len(exact)
    assert found / total >= 0.99


def test_a_rare_filter_still_gives_all_its_rows(session: psycopg.Connection) -> None:
    statement = "SELECT key->>'id' FROM search_image('x', 'fake', %s, filter => 'kind = 7', options => %s)"
    for k in (20, 50):
        near, exact = (session.execute(statement, (k, options)).fetchall() for options in ("{}", '{"exact": true}'))
        assert len(exact) == 20
        assert near == exact
