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


def effort(session: psycopg.Connection, filter: str, k: int = 10) -> int | None:
    ((found,),) = session.execute(
        "SELECT thanopg.filter_effort(c, %s, %s) FROM thanopg.embedding_column c", (filter, k)
    ).fetchall()
    return None if found is None else int(found)


def test_a_filter_says_how_far_the_index_is_searched(session: psycopg.Connection) -> None:
    half, tenth = (effort(session, f"kind < {kinds}") for kinds in (500, 100))
    assert half == pytest.approx(80, rel=0.1) and tenth == pytest.approx(400, rel=0.2)
    assert effort(session, "kind < 900", 10_000) is None, "more than the index is good for"
    assert effort(session, "kind = 7") is None, "20 rows"
    assert effort(session, "false") is None
    (statement,) = session.execute("SELECT search_sql('x', 'fake', filter => 'kind < 100')").fetchone()  # type: ignore[misc]
    assert f"prepare_scan({tenth})" in statement and "Index Scan using photo_embedding_1" in plan(session, statement)
    asked = "SELECT search_sql('x', 'fake', filter => 'kind < 100', options => '{\"ef_search\": 50}')"
    assert "prepare_scan" not in session.execute(asked).fetchone()[0]  # type: ignore[index]


def test_a_filtered_search_is_in_order_and_finds_what_is_near(session: psycopg.Connection) -> None:
    statement = "SELECT key->>'id', similarity FROM search_image(%s, 'fake', filter => 'kind < 100', options => %s)"
    found = 0
    for n in range(20):
        near, exact = (
            session.execute(statement, (f"text {n}", options)).fetchall() for options in ("{}", '{"exact": true}')
        )
        assert [similarity for _, similarity in near] == sorted((s for _, s in near), reverse=True)
        found += len({key for key, _ in near} & {key for key, _ in exact})
    assert found >= 0.99 * 20 * 10
    few = session.execute(statement, ("text 1", '{"ef_search": 5}')).fetchall()  # an iterative scan, many times over
    assert len(few) == 10
    assert [similarity for _, similarity in few] == sorted((s for _, s in few), reverse=True)


def test_settings_are_as_they_were(session: psycopg.Connection) -> None:
    with session.transaction():
        session.execute("SET LOCAL hnsw.ef_search = 33; SET LOCAL hnsw.iterative_scan = off")
        session.execute("SELECT * FROM search_image('x', 'fake', filter => 'kind < 100')")
        session.execute("SELECT * FROM search_rows(NULL::photo, 'x', 'fake', filter => 'kind < 100')")
        settings = "SELECT current_setting('hnsw.ef_search'), current_setting('hnsw.iterative_scan')"
        assert session.execute(settings).fetchone() == ("33", "off")
