"""search(…): the right rows in the right order, as many as there are, by the index, whatever the query asks besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session, aliased

from tests.photo_model import ROWS, Category, EmptyPhoto, Photo, ids, nearest, vector_of
from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy import Key, search

BY_INDEX = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off"
STOP_EARLY = "SET hnsw.max_scan_tuples = 1"  # an index scan then gives up after the 40 rows it looks at first


@pytest.fixture
def by_index(photo_engine: Engine) -> Iterator[Session]:
    with Session(photo_engine) as made:
        made.execute(text(BY_INDEX))
        made.commit()
        yield made


def explain(photo_session: Session, statement: object) -> str:
    sql = statement.compile(photo_session.get_bind(), compile_kwargs={"literal_binds": True})  # type: ignore[attr-defined]
    return "\n".join(
        row[0] for row in photo_session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, COSTS OFF) {sql}")
    )


def scans_index(plan: str, column: str) -> bool:
    return re.search(rf"Index Scan using photo_embedding_\d+ .*\n\s+Order By: \((\w+\.)?{column} <=>", plan) is not None


@pytest.mark.parametrize("column", ["embedding", "half"])
def test_rows_and_their_similarity(photo_session: Session, photo_vectors: NDArray[np.float32], column: str) -> None:
    query = vector_of("검은 고양이")
    rows = photo_session.execute(search(Photo, "검은 고양이", column=column).limit(25)).all()
    assert [photo.id for photo, _ in rows] == nearest(photo_vectors, query)[:25]
    expected = [float(photo_vectors[photo.id] @ query) for photo, _ in rows]
    assert [row.similarity for row in rows] == pytest.approx(expected, abs=1e-3 if column == "half" else 1e-6)
    assert isinstance(rows[0].Photo, Photo)
    assert rows[0].Photo.image_path == f"그림/{rows[0].Photo.id}.jpg"


@pytest.mark.parametrize("column", ["embedding", "half"])
def test_the_index_is_used(by_index: Session, column: str) -> None:
    for statement in (
        search(Photo, "x", column=column).limit(5),
        search(Photo, "x", column=column).join(Photo.category).where(Category.name == "신발").limit(5).offset(3),
        search(aliased(Photo), Key(7), column=column).limit(5),
        search(Photo, vector_of("x"), column=column).limit(5),
    ):
        plan = explain(by_index, statement)
        assert scans_index(plan, column)
        assert "(never executed)" in plan  # the look at all rows


def test_the_query_is_embedded_once(photo_session: Session) -> None:
    photo_session.execute(text("CREATE TEMPORARY TABLE asked (n int)"))
    photo_session.execute(
        text(
            "CREATE FUNCTION pg_temp.counted() RETURNS vector LANGUAGE sql VOLATILE AS "
            "'INSERT INTO asked VALUES (1); SELECT thanopg.embed_text(''x'', ''fake'')'"
        )
    )
    statement = search(Photo, func.pg_temp.counted(), column="embedding").where(Photo.id > 100).limit(50)
    assert len(photo_session.execute(statement).all()) == 50
    assert photo_session.scalar(text("SELECT count(*) FROM asked")) == 1


def test_a_selective_filter_finds_all_there_is(by_index: Session, photo_vectors: NDArray[np.float32]) -> None:
    few = nearest(photo_vectors, vector_of("드레스"), lambda i: i % 100 == 7)
    statement = search(Photo, "드레스", column="embedding").where(Photo.id % 100 == 7)
    assert scans_index(explain(by_index, statement.limit(10)), "embedding")
    assert len(set(ids(by_index, statement.limit(10)))) == 10
    assert ids(by_index, statement.limit(500)) == few
    by_index.execute(text(STOP_EARLY))
    assert ids(by_index, statement.limit(10)) == few[:10]
    assert ids(by_index, statement.limit(4).offset(5)) == few[5:9]
    assert ids(by_index, statement.where(Photo.id == 707).limit(3)) == [707]
    assert ids(by_index, statement.where(Photo.id == -1).limit(3)) == []


def test_without_the_second_look_rows_would_be_missing(by_index: Session) -> None:
    """Or the test above would not show anything."""
    by_index.execute(text(STOP_EARLY))
    plain = select(Photo.id).where(Photo.id % 100 == 7).order_by(Photo.embedding.distance("드레스")).limit(10)
    assert len(by_index.scalars(plain).all()) < 10


def test_no_limit_gives_all_rows(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    limited = search(Photo, "x", column="half").limit(ROWS)
    assert ids(photo_session, search(Photo, "x", column="half")) == ids(photo_session, limited)
    assert len(ids(photo_session, search(Photo, "x", column="half"))) == ROWS - ROWS // 10
    assert (
        ids(photo_session, search(Photo, "x", column="embedding").offset(1070))
        == nearest(photo_vectors, vector_of("x"))[1070:]
    )


def test_values_are_not_frozen_into_cached_sql(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    for words, limit, offset, rest in (("x", 3, 2, 1), ("고양이", 9, 0, 3), ("drei", 1, 40, 7)):
        expected = nearest(photo_vectors, vector_of(words), lambda i, rest=rest: i % 8 == rest)  # type: ignore[misc]
        statement = search(Photo, words, column="embedding").where(Photo.id % 8 == rest).limit(limit).offset(offset)
        assert ids(photo_session, statement) == expected[offset : offset + limit]


def test_another_order_is_an_ordinary_statement(photo_session: Session) -> None:
    statement = search(Photo, "x", column="embedding").order_by(None).order_by(Photo.id).limit(3)
    assert ids(photo_session, statement) == [1, 2, 3]
    assert "prepare_scan" not in str(statement)


def test_settings_end_with_the_transaction(photo_engine: Engine, photo_session: Session) -> None:
    photo_session.execute(search(Photo, "x", column="embedding").limit(100))
    shown = "SELECT current_setting('hnsw.iterative_scan'), current_setting('hnsw.ef_search')"
    assert photo_session.execute(text(shown)).one() == ("strict_order", "100")
    photo_session.rollback()
    assert photo_session.execute(text(shown)).one() == ("off", "40")
    photo_session.execute(text("SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 200"))
    photo_session.execute(search(Photo, "x", column="embedding").limit(100))
    assert photo_session.execute(text(shown)).one() == ("relaxed_order", "200")
    with photo_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert len(connection.execute(search(Photo, "x", column="embedding").limit(100)).all()) == 100
        assert connection.execute(text(shown)).one() == ("off", "40")


def test_where_rows_are_dropped_more_are_looked_at(photo_session: Session) -> None:
    search_all = search(Photo, "x", column="embedding").limit(10)
    for statement, looked_at in (
        (search_all, "40"),
        (search_all.where(Photo.id > 100), "200"),
        (search_all.join(Photo.category), "200"),
        (search_all.where(Photo.id > 100).limit(20), "400"),
    ):
        assert photo_session.execute(statement).all()
        looked = photo_session.scalar(text("SELECT current_setting('hnsw.ef_search')"))
        assert looked == looked_at, str(statement)
        photo_session.rollback()


def test_a_first_search_in_an_empty_table(photo_session: Session) -> None:
    """pgvector is not loaded by then, and its settings are empty after the transaction."""
    for _ in range(3):
        assert photo_session.execute(search(EmptyPhoto, "x").limit(3)).all() == []
        photo_session.commit()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: search(Photo, "x"), "Photo has more than one embedding: embedding, half"),
        (lambda: search(Photo, "x", column="nope"), "Photo has no embedding 'nope'"),
        (lambda: search(Category, "x"), "Category has no embedding"),
        (lambda: search(Photo.__table__, "x"), "expected a mapped class to search in"),  # type: ignore[arg-type]
        (lambda: search(Photo, Photo(id=1), column="half"), "this Photo is not in the database yet"),
        (lambda: search(Photo, Key(1, 2), column="half"), r"the key of photo is \(id\), not Key\(1, 2\)"),
    ],
)
def test_errors(call: Callable[[], object], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        call()
