"""A binary index: candidates by signs, ranked by whole vectors; never fewer than k rows, nearly always the nearest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from tests.databases import Database, clone
from tests.working import register_fake
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer

ROWS, DIMENSIONS, K = 4000, 256, 10


@pytest.fixture(scope="module")
def clusters(server: EmbeddedServer, template: str) -> Iterator[Database]:
    """Table "사진첩" of 4,000 halfvecs in forty heaps, with a binary index."""
    random = np.random.default_rng(5)
    centres = random.standard_normal((40, DIMENSIONS))
    vectors = centres[random.integers(0, 40, ROWS)] + 0.5 * random.standard_normal((ROWS, DIMENSIONS))
    with clone(server, template) as database, connect(database.url, autocommit=True) as connection:
        register_fake(connection, DIMENSIONS)
        connection.execute('CREATE TABLE "사진첩" (id int PRIMARY KEY, image_path text, kind int)')
        connection.execute(
            "SELECT add_image_embedding('\"사진첩\"', 'image_path', 'fake', type => 'halfvec', index => 'binary')"
        )
        connection.execute('ALTER TABLE "사진첩" DISABLE TRIGGER USER')
        with connection.cursor().copy('COPY "사진첩" FROM STDIN') as copy:
            for number, vector in enumerate(vectors):
                copy.write_row((number, f"{number}.jpg", number % 1000, str(vector.tolist())))
        connection.execute('ANALYZE "사진첩"')
        yield database


@pytest.fixture
def session(clusters: Database) -> Iterator[psycopg.Connection]:
    with connect(clusters.url, autocommit=True) as made:
        yield made


def similar(
    session: psycopg.Connection,
    row: int,
    *,
    exact: bool,
    k: int = K,
    filter: str | None = None,
    candidates: int | None = None,
) -> list[tuple[int, float]]:
    return session.execute(
        "SELECT (key->>'id')::int, similarity FROM similar_image('\"사진첩\"', jsonb_build_object('id', %s::int), "
        "'fake', k => %s, filter => %s, "
        "options => jsonb_strip_nulls(jsonb_build_object('exact', %s::boolean, 'candidates', %s::int)))",
        (row, k, filter, exact, candidates),
    ).fetchall()


def test_recall_and_order(session: psycopg.Connection) -> None:
    found = 0
    for row in range(0, ROWS, ROWS // 40):
        exact, quick = (similar(session, row, exact=exact) for exact in (True, False))
        found += len({name for name, _ in exact} & {name for name, _ in quick})
        assert [similarity for _, similarity in quick] == sorted((s for _, s in quick), reverse=True)
        assert set(quick) - set(exact) == {pair for pair in quick if pair not in exact}
    assert found >= 0.99 * 40 * K


def test_more_candidates_find_more(session: psycopg.Connection) -> None:
    """With all rows for candidates it is an exact search."""
    for row in range(0, ROWS, ROWS // 10):
        assert similar(session, row, exact=False, candidates=ROWS) == similar(session, row, exact=True)
    plan = session.execute("SELECT search_sql('고양이', 'fake', options => '{\"candidates\": 1234}')").fetchall()
    assert "LIMIT 1234" in plan[0][0] and "prepare_scan(1234)" in plan[0][0]


def test_similarity_is_that_of_the_whole_vectors(session: psycopg.Connection) -> None:
    quick = dict(similar(session, 7, exact=False))
    exact = dict(similar(session, 7, exact=True))
    assert all(quick[name] == exact[name] for name in quick.keys() & exact.keys()) and quick.keys() & exact.keys()


def test_plan_uses_the_index(session: psycopg.Connection) -> None:
    ((statement,),) = session.execute("SELECT search_sql('고양이', 'fake')").fetchall()
    assert "binary_quantize" in statement and "candidate" in statement
    statement = statement.replace("thanopg.embed_text('고양이', 'fake')", f"array_fill(1, ARRAY[{DIMENSIONS}])::vector")
    plan = "\n".join(line for (line,) in session.execute(("EXPLAIN " + statement).encode()).fetchall())
    assert "Index Scan using" in plan and "_embedding_1" in plan


def test_hybrid_search_takes_the_same_candidates(session: psycopg.Connection) -> None:
    options = '{"method": "hybrid", "weights": {"image": 1}}'
    ((statement,),) = session.execute("SELECT search_sql('고양이', 'fake', options => %s)", (options,)).fetchall()
    assert "binary_quantize" in statement and "image_near" in statement
    statement = statement.replace("thanopg.embed_text('고양이', 'fake')", f"array_fill(1, ARRAY[{DIMENSIONS}])::vector")
    plan = "\n".join(line for (line,) in session.execute(("EXPLAIN " + statement).encode()).fetchall())
    assert "Index Scan using" in plan and "_embedding_1" in plan
    found = session.execute(
        "SELECT (key->>'id')::int, similarity FROM similar_image('\"사진첩\"', '{\"id\": 7}', 'fake', options => %s)",
        (options,),
    ).fetchall()
    assert len({row for row, _ in found} & {row for row, _ in similar(session, 7, exact=True)}) >= K - 1


def test_never_fewer_rows_than_there_are(session: psycopg.Connection) -> None:
    assert len(similar(session, 1, exact=False, filter="kind = 17")) == 4
    assert len(similar(session, 1, exact=False, k=700)) == 700
    assert len(similar(session, 1, exact=False, k=ROWS)) == ROWS - 1


def test_status_and_change_of_policy(session: psycopg.Connection) -> None:
    kinds = (
        "SELECT string_agg(o.opcname, ',' ORDER BY o.opcname DESC) FROM pg_index x "
        "JOIN pg_opclass o ON o.oid = x.indclass[0] WHERE x.indrelid = '사진첩'::regclass"
    )
    assert session.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
    with session.transaction(force_rollback=True):
        session.execute("SELECT set_index('\"사진첩\"', 'fake_fake', 'now')")
        assert session.execute(kinds).fetchone() == ("int4_ops,halfvec_cosine_ops",)
        session.execute("SELECT set_index('\"사진첩\"', 'fake_fake', 'binary')")
        assert session.execute(kinds).fetchone() == ("int4_ops,bit_hamming_ops",)
        session.execute("SELECT set_index('\"사진첩\"', 'fake_fake', 'none')")
        assert session.execute("SELECT index FROM embedding_status").fetchone() == ("none",)
        assert len(similar(session, 1, exact=False)) == K


def test_many_dimensions(connection: psycopg.Connection) -> None:
    register_fake(connection, 3000)
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    with pytest.raises(psycopg.errors.ProgramLimitExceeded) as caught:
        connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    assert "binary" in str(caught.value.diag.message_hint)
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', index => 'binary')")
    assert connection.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
