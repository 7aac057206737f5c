"""The form for the vector index: exactly equal to the plain one where no index is used, near enough where one is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pgvector import Vector
from pgvector.psycopg import register_vector

from tests.databases import Database
from tests.running_service import RunningService
from thanopg.config import Settings
from thanopg.errors import StatementRefused
from thanopg.thanosql.fragment import Fragment
from thanopg.thanosql.parser import parse
from thanopg.thanosql.plan import RowsPlan
from thanopg.thanosql.planner import make_plan
from thanopg.thanosql.reading import read_registry
from thanopg.thanosql.result import Table
from thanopg.thanosql.session import Session

SIMILARITY = "m_b_similarity"
ROWS = 60


@pytest.fixture
def session(
    database: Database, connection: psycopg.Connection, service: RunningService, tmp_path: Path
) -> Iterator[Session]:
    """Table t with vectors that are equal, missing, or of length zero; table o with some rows of t."""
    register_vector(connection)
    connection.execute("SELECT create_model('m', source => 'fake:4', base => 'b')")
    connection.execute("CREATE TABLE t (id int PRIMARY KEY, image_path text, kind text, n int)")
    connection.execute("CREATE TABLE o (oid int PRIMARY KEY, t_id int, label text)")
    connection.execute("SELECT add_image_embedding('t', 'image_path', 'm', index => 'none')")
    rng = np.random.default_rng(3)
    with connection.cursor() as cursor:
        for i in range(ROWS):
            vector = (
                None if i % 5 == 0 else Vector(np.zeros(4) if i % 11 == 1 else rng.integers(-1, 2, 4) + (i % 3 == 0))
            )
            row = (i, None if i % 7 == 0 else f"{i}.png", "abc"[i % 3], None if i % 4 == 0 else i % 6, vector)
            cursor.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s)", row)
    connection.execute("INSERT INTO o SELECT i, i % 40, 'l' || i % 3 FROM generate_series(1, 70) i")
    with Session(database.url, Settings(home=tmp_path, image_root=tmp_path)) as made:
        made.run("SET enable_indexscan = off")
        yield made


TEXTS = ("a black cat", "red", "gloomy photos")
INNER = (
    "SELECT * FROM t",
    "SELECT t.* FROM t WHERE n > 1",
    "SELECT * FROM t ORDER BY id LIMIT 30",
    "SELECT t.*, n + 1 AS more FROM t",
)
ALIASES = (("", ""), ("x", "x."), ("AS x", "x."), ('AS "X y"', '"X y".'))
JOINS = (
    ("", ""),
    ("LEFT JOIN o ON o.t_id = id", "o.oid"),
    ("JOIN o ON o.t_id = id", "o.oid"),
    ("CROSS JOIN (VALUES (1), (2)) v(oid)", "v.oid"),
    (", o", "o.oid"),
    ("FULL JOIN o ON o.t_id = id", "o.oid"),
    ("RIGHT JOIN o ON o.t_id = id", "o.oid"),
)
BEFORE = (
    ("", "", ""),
    ("", "", ""),
    ("o p LEFT JOIN ", " ON p.t_id = id", "p.oid"),
    ("o p JOIN ", " ON p.t_id = id", "p.oid"),
)
CONDITIONS = (
    "",
    "WHERE kind = 'a'",
    "WHERE n IS NULL OR n > 2",
    "WHERE {s} > 0",
    "WHERE id < 4",
    "WHERE EXISTS (SELECT FROM o q WHERE q.t_id = id)",
)
SHOWN = (
    *("{s}", "{q}{s}, n", "{s} AS score", "{s} score, round({q}{s}::numeric, 1) AS rounded", "*"),
    *("kind AS k, -{s} AS minus, {s}", "round({s}::numeric, 1) AS {s}", "{s}::numeric(4, 1)", "DISTINCT {s}"),
    *("n AS {s}", "row_number() OVER (ORDER BY {s} DESC, id) AS score"),
)
PLAIN_OR = st.integers(0, 2)
"""two times out of three the shapes that can be rewritten"""
FIRST = (
    *("{s} DESC", "{q}{s} DESC NULLS LAST", "{q}{s} DESC", "score DESC", "1 DESC"),
    *("3 DESC", "{s}", "{s} DESC NULLS FIRST", "({s}) DESC"),
)
LIMITS = (
    "LIMIT 5",
    "LIMIT 1",
    "LIMIT 20 OFFSET 3",
    "OFFSET 2 LIMIT 8",
    "LIMIT 100",
    "OFFSET 40 ROWS LIMIT 12",
    "LIMIT 5 OFFSET 0",
    "",
)


@dataclass(frozen=True)
class Drawn:
    statement: str
    unlimited: str
    total: bool
    """its order leaves nothing open"""


@st.composite
def statements(draw: st.DrawFn) -> Drawn:
    number = draw(st.integers(0, 2))
    inputs = f"texts=['{draw(st.sampled_from(TEXTS))}', '{draw(st.sampled_from(TEXTS))}']"
    inputs = inputs if number else f"text='{draw(st.sampled_from(TEXTS))}'"
    search = f"(SEARCH IMAGE {inputs} USING m AS {draw(st.sampled_from(INNER))})"
    alias, qualifier = draw(st.sampled_from(ALIASES))
    join, key = draw(st.sampled_from(JOINS[:3] if draw(PLAIN_OR) else JOINS))
    before, on, key_before = draw(st.sampled_from(BEFORE[:1] if draw(PLAIN_OR) else BEFORE))
    words = {"s": f"{SIMILARITY}{max(1, number)}", "q": qualifier}
    keys = ", ".join(filter(None, ("id", key_before, key)))
    shown = draw(st.sampled_from(SHOWN[:5] if draw(PLAIN_OR) else SHOWN)).format(**words)
    first = draw(st.sampled_from(FIRST[:5] if draw(PLAIN_OR) else FIRST)).format(**words)
    rest = draw(st.sampled_from(["", ", n DESC", f", {keys}", f", n DESC, {keys}"]))
    checked = "" if shown == "*" else f", {qualifier}{words['s']} AS checked, {keys}"
    condition = draw(st.sampled_from(CONDITIONS)).format(**words)
    body = f"SELECT {shown}{checked} FROM {before}{search} {alias}{on} {join} {condition}"
    order = f" ORDER BY {first}{rest} "
    return Drawn(body + order + draw(st.sampled_from(LIMITS)), body + order, keys in rest)


def plan_of(session: Session, statement: str) -> RowsPlan:
    plan = make_plan(statement, parse(statement), read_registry(session._access), {}, {}, [])
    assert isinstance(plan, RowsPlan)
    return plan


def rows_of(
    session: Session, statement: str, fragment: Fragment
) -> tuple[list[tuple[object, ...]], list[float | None]]:
    """Rows, as values that can be compared, and the similarity of each."""
    with session._access.search_settings(10):
        answer = session._access.run(statement, fragment, {})
    at = next(
        n
        for n in reversed(range(len(answer.columns)))
        if answer.columns[n] == "checked" or SIMILARITY in answer.columns[n]
    )
    return [tuple(map(str, row)) for row in answer.rows], [row[at] for row in answer.rows]


rewritten: Counter[bool] = Counter()


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(drawn=statements())
def test_both_forms_give_the_same(session: Session, drawn: Drawn) -> None:
    plan = plan_of(session, drawn.statement)
    rewritten[plan.indexed is not None] += 1
    if plan.indexed is None:
        return
    try:
        plain, similarities = rows_of(session, drawn.statement, plan.sql)
    except StatementRefused:
        with pytest.raises(StatementRefused):
            session._access.run(drawn.statement, plan.indexed.sql, {})
        return
    near, near_similarities = rows_of(session, drawn.statement, plan.indexed.sql)
    if len(near) < plan.indexed.rows:
        return  # then the plain form is run
    assert near_similarities == similarities
    if drawn.total:
        assert near == plain
    every, _ = rows_of(session, drawn.unlimited, plan_of(session, drawn.unlimited).sql)
    assert not Counter(near) - Counter(every)


def test_enough_statements_were_rewritten() -> None:
    assert rewritten[True] > 40
    assert rewritten[False] > 40


MANY = 20_000
SIXTEEN = 16


def fill(connection: psycopg.Connection, rows: int) -> None:
    """Table big with an embedding column and its index, as CONVERT leaves it; one row in a hundred has no vector."""
    connection.execute("SELECT create_model('m16', source => 'fake:16', base => 'b')")
    connection.execute("CREATE TABLE big (id int PRIMARY KEY, image_path text, kind int)")
    connection.execute("SELECT add_image_embedding('big', 'image_path', 'm16', index => 'none')")
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((rows, SIXTEEN)).astype(np.float32)
    with connection.cursor() as cursor, cursor.copy("COPY big (id, kind, m16_b) FROM STDIN") as copy:
        for i in range(rows):
            copy.write_row((i, i % 50, None if i % 100 == 0 else str(vectors[i].tolist())))
    connection.execute("DELETE FROM thanopg.pending")  # the vectors are there
    connection.execute("SET max_parallel_maintenance_workers = 0")
    connection.execute("CREATE INDEX ON big USING hnsw (m16_b vector_cosine_ops) WITH (m = 16, ef_construction = 64)")
    connection.execute("ANALYZE big")


VARIANTS = (
    "SELECT id, m16_b_similarity1 FROM ({search}) ORDER BY m16_b_similarity1 DESC LIMIT 5",
    "SELECT * FROM ({search}) AS x ORDER BY x.m16_b_similarity1 DESC LIMIT 10 OFFSET 5",
    "SELECT id, m16_b_similarity1 AS score FROM ({search}) WHERE kind < 25 ORDER BY score DESC, id LIMIT 5",
    "SELECT x.id FROM ({search}) x LEFT JOIN o ON o.oid = x.id ORDER BY x.m16_b_similarity1 DESC LIMIT 5",
)
WITH_TOP_K = "SEARCH IMAGE USING m16 OPTIONS(search_input='{text}', top_k=5) AS SELECT * FROM big"


def planned(session: Session, statement: str) -> str:
    result = session.run(f"EXPLAIN {statement}")
    assert isinstance(result, Table)
    return "\n".join(str(row[0]) for row in result.rows)


def test_a_large_table_answers_with_the_index(session: Session, connection: psycopg.Connection) -> None:
    fill(connection, MANY)
    session.run("RESET enable_indexscan")
    found, wanted = 0, 0
    for text in ("a black cat", "a dog on a chair", "gloomy photos", "빨간 원피스"):
        search = f"SEARCH IMAGE text='{text}' USING m16 AS SELECT * FROM big"
        for variant in VARIANTS:
            statement = variant.format(search=search)
            assert "Index Scan using big_m16_b_idx" in planned(session, statement), statement
            near = session.run(statement)
            plan = plan_of(session, statement)
            session.run("SET enable_indexscan = off")
            exact = session._access.run(statement, plan.sql, {})
            session.run("RESET enable_indexscan")
            assert isinstance(near, Table)
            identify = near.columns.index("id")
            found += len({row[identify] for row in near.rows} & {row[identify] for row in exact.rows})
            wanted += len(exact.rows)
            assert len(near.rows) == len(exact.rows)
        with_top_k = WITH_TOP_K.format(text=text)
        assert "big_m16_b_idx" in planned(session, f"SELECT * FROM ({with_top_k})")
        best = session.run(with_top_k)
        exact_best = session.run(f"SELECT id FROM ({search}) ORDER BY m16_b_similarity1 + 0 DESC LIMIT 5")
        assert isinstance(best, Table)
        assert isinstance(exact_best, Table)
        assert len({row[0] for row in best.rows} & {row[0] for row in exact_best.rows}) >= 4
    assert found / wanted >= 0.99


def test_a_binary_index_brings_candidates(session: Session, connection: psycopg.Connection) -> None:
    fill(connection, 2_000)
    connection.execute("DROP INDEX big_m16_b_idx; SELECT set_index('big', 'm16_b', 'binary'); ANALYZE big")
    session.run("RESET enable_indexscan")
    session.run("SET enable_seqscan = off")
    search = "SEARCH IMAGE text='빨간 원피스' USING m16 AS SELECT * FROM big WHERE kind > 2"
    for statement in (VARIANTS[0].format(search=search), VARIANTS[1].format(search=search)):
        plan = planned(session, statement)
        assert "Index Scan using big_embedding_" in plan and "<~>" in plan
        near = session.run(statement)
        exact = session._access.run(statement, plan_of(session, statement).sql, {})
        assert isinstance(near, Table)
        assert len(near.rows) == len(exact.rows)
        similarities = [row[near.columns.index("m16_b_similarity1")] for row in near.rows]
        assert similarities == sorted(similarities, reverse=True)
        assert len({row[0] for row in near.rows} & {row[0] for row in exact.rows}) >= len(exact.rows) // 2
    with_top_k = f"SELECT * FROM ({WITH_TOP_K.format(text='x')})"
    assert "Index Scan using big_embedding_" in planned(session, with_top_k)


def test_rows_beyond_those_with_a_vector(session: Session, connection: psycopg.Connection) -> None:
    """An index knows nothing of rows without a vector; a limit beyond the others must still bring them."""
    statement = (
        "SELECT id FROM (SEARCH IMAGE text='x' USING m AS SELECT * FROM t) ORDER BY m_b_similarity1 DESC LIMIT 55"
    )
    connection.execute("CREATE INDEX ON t USING hnsw (m_b vector_cosine_ops)")
    session.run("RESET enable_indexscan")
    result = session.run(statement)
    assert isinstance(result, Table)
    assert len(result.rows) == 55


@pytest.mark.long
def test_a_hundred_thousand_rows(session: Session, connection: psycopg.Connection) -> None:
    fill(connection, 100_000)
    session.run("RESET enable_indexscan")
    statement = VARIANTS[0].format(search="SEARCH IMAGE text='a black cat' USING m16 AS SELECT * FROM big")
    assert "Index Scan using big_m16_b_idx" in planned(session, statement)
    result = session.run(statement)
    assert isinstance(result, Table)
    assert len(result.rows) == 5
