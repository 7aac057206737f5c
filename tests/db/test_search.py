"""search_image, search_rows, similar_image, search_sql: right order, right errors, through the real service."""

from __future__ import annotations

from itertools import product

import numpy as np
import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector
from psycopg.types.json import Jsonb

from tests.adapters import over_both
from tests.running_service import RunningService
from thanopg.database.connect import connect
from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 16
ROWS = 200


@pytest.fixture
def vectors(connection: psycopg.Connection, service: RunningService) -> np.ndarray:
    """Table photo, id = row number in the returned array; every tenth row has no vector."""
    connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, kind text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    register_vector(connection)
    rng = np.random.default_rng(7)
    made = rng.standard_normal((ROWS, DIMENSIONS)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO photo VALUES (%s, %s, %s, %s)",
            [
                (i, f"그림/{i}.jpg", "odd" if i % 2 else "even", None if i % 10 == 0 else Vector(made[i]))
                for i in range(ROWS)
            ],
        )
    return made


def nearest(vectors: np.ndarray, query: np.ndarray, k: int, keep: object = lambda i: True) -> list[int]:
    kept = [i for i in range(ROWS) if i % 10 and keep(i)]  # type: ignore[operator]
    return sorted(kept, key=lambda i: (1 - float(vectors[i] @ query), i))[:k]


def text_vector(text: str) -> np.ndarray:
    return FakeEmbedder(DIMENSIONS).embed_texts([text]).vectors[0]


@over_both
@pytest.mark.parametrize("text", ["a black cat", "밝은 빨간색 미니 원피스", "quote ' \" \\ $$ -- %"])
def test_order_is_that_of_brute_force(connection: psycopg.Connection, vectors: np.ndarray, text: str) -> None:
    expected = nearest(vectors, text_vector(text), 25)
    rows = connection.execute("SELECT * FROM search_image(%s, 'fake', 25)", (text,)).fetchall()
    assert [row[2]["id"] for row in rows] == expected
    assert [row[0] for row in rows] == list(range(1, 26))
    assert rows[0][3] == f"그림/{expected[0]}.jpg"
    assert [row[4] for row in rows] == pytest.approx(
        [float(vectors[i] @ text_vector(text)) for i in expected], abs=1e-6
    )
    exact = connection.execute("SELECT key FROM search_image(%s, 'fake', 25, options => '{\"exact\": true}')", (text,))
    assert [key["id"] for (key,) in exact.fetchall()] == expected


def test_more_than_there_are(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    rows = connection.execute("SELECT key FROM search_image('x', 'fake', 1000)").fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, text_vector("x"), ROWS)


def test_filter(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    statement = "SELECT key FROM search_image('x', 'fake', 5, filter => %s)"
    odd = connection.execute(statement, ("kind = 'odd' -- a comment",)).fetchall()
    assert [key["id"] for (key,) in odd] == nearest(vectors, text_vector("x"), 5, lambda i: i % 2)
    few = connection.execute(statement, ("photo.id IN (11, 12, 13)",)).fetchall()
    assert [key["id"] for (key,) in few] == nearest(vectors, text_vector("x"), 5, lambda i: i in (11, 12, 13))


def test_a_filter_cannot_write(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    connection.execute(
        "CREATE FUNCTION remove_all() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN DELETE FROM photo; RETURN true; END'"
    )
    connection.execute("ALTER FUNCTION remove_all() STABLE")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        connection.execute("SELECT * FROM search_image('x', 'fake', filter => 'remove_all()')")
    assert connection.execute("SELECT count(*) FROM photo").fetchone() == (ROWS,)


def test_search_rows_gives_rows_of_the_table(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    rows = connection.execute("SELECT (item).id, (item).kind, similarity FROM search_rows(NULL::photo, 'x', 'fake', 3)")
    assert [row[0] for row in rows.fetchall()] == nearest(vectors, text_vector("x"), 3)
    connection.execute("ALTER TABLE photo ADD COLUMN photo text")  # a column of the table's name is not the row
    again = connection.execute("SELECT (item).id FROM search_rows(NULL::photo, 'x', 'fake', 3)").fetchall()
    assert [n for (n,) in again] == nearest(vectors, text_vector("x"), 3)
    with pytest.raises(psycopg.errors.DatatypeMismatch):
        connection.execute("SELECT * FROM search_rows(NULL::int, 'x', 'fake', 3)")


def test_similar_image_leaves_itself_out(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    rows = connection.execute("SELECT key FROM similar_image('photo', '{\"id\": 7}', 'fake', 4)").fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, vectors[7], 4, lambda i: i != 7)
    with pytest.raises(psycopg.errors.NoDataFound):
        connection.execute("SELECT * FROM similar_image('photo', '{\"id\": 7777}', 'fake')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        connection.execute("SELECT * FROM similar_image('photo', '{\"id\": 10}', 'fake')")
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        connection.execute("SELECT * FROM similar_image('photo', '{\"number\": 7}', 'fake')")


def test_search_sql_runs_as_it_is(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    (statement,) = connection.execute("SELECT search_sql('it''s', 'fake', 6, filter => $$kind = 'odd'$$)").fetchone()
    rows = connection.execute(statement).fetchall()
    assert [row[0]["id"] for row in rows] == nearest(vectors, text_vector("it's"), 6, lambda i: i % 2)


def test_search_sql_finds_what_search_image_finds(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    arguments = "'밝은 빨간색 원피스', 'fake', %(k)s, filter => %(filter)s, options => %(options)s"
    there = {None: 180, "kind = 'odd'": 100, "photo.id IN (11, 12, 13, 14)": 4, "false": 0}
    for k, (filter, rows), options in product((3, ROWS), there.items(), ("{}", '{"exact": true}')):
        asked = {"k": k, "filter": filter, "options": options}
        found = connection.execute(f"SELECT key, image FROM search_image({arguments})", asked).fetchall()
        (statement,) = connection.execute(f"SELECT search_sql({arguments})", asked).fetchone()
        assert found == [row[:2] for row in connection.execute(statement).fetchall()]
        assert len(found) == min(k, rows)


def test_the_plain_join_form(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    rows = connection.execute(
        "SELECT id FROM photo WHERE fake_base IS NOT NULL "
        "ORDER BY fake_base <=> (SELECT embed_text('x', 'fake')), id LIMIT 5"
    ).fetchall()
    assert [i for (i,) in rows] == nearest(vectors, text_vector("x"), 5)


@pytest.mark.parametrize(
    ("call", "sqlstate", "said"),
    [
        ("search_image('', 'fake')", "22023", "empty"),
        ("search_image(E' \\n　', 'fake')", "22023", "empty"),
        ("search_image(NULL::text, 'fake')", "22004", "null"),
        ("search_image('\\x'::bytea, 'fake')", "22023", "empty"),
        ("search_image('x', 'nope')", "42704", "registered: "),
        ("search_image('x', NULL)", "22004", "null"),
        ("search_image('x', 'fake', 0)", "22023", "at least 1"),
        ("search_image('x', 'fake', NULL)", "22023", "at least 1"),
        ("search_image('x', 'fake', target => 'pg_class')", "42703", "photo.fake_base"),
        ("search_image('x', 'fake', column_name => 'nope')", "42703", "photo.fake_base"),
        ("search_image('x', 'fake', options => '{\"nope\": 1}')", "22023", "known: "),
        ("search_image('x', 'fake', options => '[]')", "22023", "object"),
        ("search_image('x', 'fake', options => '{\"ef_search\": 0}')", "22023", "1 to 1000"),
        ("search_image('x', 'fake', filter => 'kind =')", "42601", "in the filter: syntax"),
        ("search_image('x', 'fake', filter => ' ')", "22023", "empty"),
        ("search_image('x', 'fake', filter => 'true) OR (true')", "42601", "in the filter"),
        ("search_image('x', 'fake', filter => 'true THEN true END OR CASE WHEN true')", "42601", ""),
        ("search_sql('x', 'fake', filter => 'true) OR (true')", "42601", "in the filter"),
        ("search_rows(NULL::photo, 'x', 'fake', filter => 'nope')", "42703", "in the filter"),
        ("similar_image('photo', '{\"id\": 7}', 'fake', filter => 'true) OR (true')", "42601", "in the filter"),
        ("search_image('x', 'fake', filter => 'nope = 1')", "42703", "nope"),
        ("embed_text('x', 'nope')", "42704", "registered: "),
        ("embed_text('', 'fake')", "22023", "empty"),
        ("create_model('fake')", "42710", "exists"),
    ],
)
def test_errors(connection: psycopg.Connection, vectors: np.ndarray, call: str, sqlstate: str, said: str) -> None:
    with pytest.raises(psycopg.Error) as error:
        connection.execute("SELECT * FROM " + call)
    assert error.value.sqlstate == sqlstate
    assert said in f"{error.value.diag.message_primary} {error.value.diag.message_hint}"
    assert "\n" not in error.value.diag.message_primary


REFUSED = [
    ("create_model('z', source => 'no-such-model')", "42704", "unknown base or source 'no-such-model'", "bases: "),
    ("search_image('\\x00'::bytea, 'fake')", "22000", "not these bytes", "None"),
    ("embed_text('x', 'fake')", "55000", "fingerprint another… of fake:16", "same weights"),
]


@over_both
def test_what_the_service_refuses(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    for call, sqlstate, said, hint in REFUSED:
        if call.startswith("embed_text"):
            connection.execute("UPDATE thanopg.model SET fingerprint = 'another' WHERE name = 'fake'")
        with pytest.raises(psycopg.Error) as error:
            connection.execute("SELECT * FROM " + call)
        diag = error.value.diag
        assert diag.sqlstate == sqlstate
        assert said in str(diag.message_primary) and hint in str(diag.message_hint)


def test_two_columns_need_a_name(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    connection.execute(
        "SELECT add_image_embedding('photo', 'image_path', 'fake', column_name => 'second', type => 'halfvec')"
    )
    connection.execute("UPDATE photo SET second = fake_base::halfvec")
    with pytest.raises(psycopg.errors.AmbiguousColumn):
        connection.execute("SELECT * FROM search_image('x', 'fake')")
    rows = connection.execute("SELECT key FROM search_image('x', 'fake', 3, column_name => 'second')").fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, text_vector("x"), 3)


@over_both
def test_read_only_repeatable_read_prepared(database: object, vectors: np.ndarray) -> None:
    expected = nearest(vectors, text_vector("x"), 3)
    with connect(database.url) as session:  # type: ignore[attr-defined]
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.read_only = True
        for _ in range(7):  # psycopg prepares after five
            rows = session.execute("SELECT key FROM search_image(%s, 'fake', 3)", ("x",)).fetchall()
            assert [key["id"] for (key,) in rows] == expected
    with connect(database.url, autocommit=True) as session:  # type: ignore[attr-defined]
        session.execute("PREPARE s AS SELECT key FROM search_image($1, 'fake', 3)")
        for _ in range(7):
            assert [key["id"] for (key,) in session.execute("EXECUTE s ('x')").fetchall()] == expected


def test_settings_end_with_the_search(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    connection.execute("SET hnsw.ef_search = 77")
    with connection.transaction():  # in which a setting made for it would last
        for search in ("search_image('x', 'fake', 500)", "search_rows(NULL::photo, 'x', 'fake', 500)"):
            assert connection.execute(f"SELECT count(*) FROM {search}").fetchone() != (0,)
            assert connection.execute("SHOW hnsw.ef_search").fetchone() == ("77",)
            assert connection.execute("SHOW hnsw.iterative_scan").fetchone() == ("off",)


@over_both
def test_vector_outside_the_search_path(
    superuser_connection: psycopg.Connection, connection: psycopg.Connection, vectors: np.ndarray
) -> None:
    superuser_connection.execute("CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO PUBLIC")
    superuser_connection.execute("ALTER EXTENSION vector SET SCHEMA extensions")
    rows = connection.execute("SELECT key FROM search_image('x', 'fake', 3)").fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, text_vector("x"), 3)
    assert "OPERATOR(extensions.<=>)" in connection.execute("SELECT search_sql('x', 'fake')").fetchone()[0]


def test_row_level_security_holds(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    connection.execute("ALTER TABLE photo ENABLE ROW LEVEL SECURITY; ALTER TABLE photo FORCE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY odd ON photo USING (kind = 'odd')")
    rows = connection.execute("SELECT key FROM search_image('x', 'fake', 1000)").fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, text_vector("x"), ROWS, lambda i: i % 2)


def test_a_long_text_is_noticed(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    connection.execute("SELECT embed_text(%s, 'fake')", ("word " * 500,))
    assert any("longer than the 77 tokens" in line for line in said)


def test_rows_that_are_not_embedded_yet_are_told_of(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
    connection.execute("SELECT * FROM search_image('x', 'fake', 3)")
    assert said == []
    connection.execute("UPDATE photo SET fake_base = NULL")
    connection.execute("INSERT INTO photo VALUES (5000, 'a.jpg')")
    assert connection.execute("SELECT * FROM search_image('x', 'fake', 3)").fetchall() == []
    assert said[0].endswith("rows of photo are not embedded yet")


def test_a_changed_model_is_refused_not_mixed(connection: psycopg.Connection, vectors: np.ndarray) -> None:
    connection.execute("UPDATE thanopg.embedding SET fingerprint = 'another'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        connection.execute("SELECT * FROM search_image('x', 'fake')")


@over_both
def test_service_down_and_back(connection: psycopg.Connection, vectors: np.ndarray, service: RunningService) -> None:
    before = connection.execute("SELECT key FROM search_image('x', 'fake')").fetchall()
    service.stop()
    try:
        with pytest.raises(psycopg.Error) as error:
            connection.execute("SELECT key FROM search_image('x', 'fake')")
        assert error.value.sqlstate == "08001"
        assert "thanopg up" in (error.value.diag.message_hint or "")
        assert connection.execute("SELECT count(*) FROM photo").fetchone() == (ROWS,)
        assert connection.execute("SELECT key FROM similar_image('photo', %s, 'fake')", (Jsonb({"id": 1}),)).fetchone()
    finally:
        service.start()
    assert connection.execute("SELECT key FROM search_image('x', 'fake')").fetchall() == before
