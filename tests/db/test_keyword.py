"""Search by keyword: letters in threes and whole words, in an index that is always true."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import psycopg
import pytest

from tests.running_service import RunningService
from thanopg.database.connect import connect

NAMES = {
    1: "하늘 방수 부츠",
    2: "모노 흰색 원피스",
    3: "오브제 편안한 운동화",
    4: "Waterproof boots",
    5: "리안 원피스",
    6: "카페 Café 머그",
    7: "赤い帽子と红色连衣裙",
}


@pytest.fixture
def product(connection: psycopg.Connection, service: RunningService) -> str:
    connection.execute("SELECT create_model('fake', source => 'fake:8', base => 'base')")
    connection.execute("CREATE TABLE product (id int PRIMARY KEY, image_path text, name text, description varchar)")
    connection.execute("SELECT add_image_embedding('product', 'image_path', 'fake')")
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO product (id, name) VALUES (%s, %s)", list(NAMES.items()))
    connection.execute("SELECT add_keyword_index('product', ARRAY['name', 'description'])")
    return "product"


def found(connection: psycopg.Connection, query: str, *, k: int = 10, filter: str | None = None) -> list[int]:
    rows = connection.execute(
        "SELECT key FROM search_image(%s, 'fake', %s, filter => %s, options => '{\"method\": \"keyword\"}')",
        (query, k, filter),
    )
    return [key["id"] for (key,) in rows.fetchall()]


def terms(connection: psycopg.Connection, *texts: str | None, language: str | None = None) -> list[str]:
    row = connection.execute("SELECT thanopg.keyword_terms(%s, %s::regconfig)", (list(texts), language)).fetchone()
    return list(row[0])  # type: ignore[index]


def test_terms(connection: psycopg.Connection) -> None:
    spelled = unicodedata.normalize("NFD", "편한")
    assert terms(connection, "편한") == [
        unicodedata.normalize("NFD", part)
        for part in (" " + spelled[:2], spelled[:3], spelled[1:4], spelled[2:5], spelled[3:6], spelled[4:] + " ")
    ] + [f" {spelled} "]
    assert terms(connection, "A-b") == [" a ", " b "]
    assert terms(connection, None, "") == terms(connection) == []
    assert set(terms(connection, "running dresses", language="english")) >= {"=run", "=dress", " dresses "}
    assert "红色" in terms(connection, "红色连衣裙")


def test_one_word_however_it_is_typed(connection: psycopg.Connection) -> None:
    plain = terms(connection, "파란 dress")
    assert terms(connection, unicodedata.normalize("NFD", "파란 dress")) == plain
    assert terms(connection, "파란", "ＤＲＥＳＳ!") == plain
    assert terms(connection, "파란　«Dress»") == plain


def test_a_long_text_has_an_end(connection: psycopg.Connection) -> None:
    assert len(terms(connection, "가나다 " * 500_000, language="simple")) < 400_000
    assert max(map(len, terms(connection, "가" * 10_000))) == 64


FIRST = {
    "방수": 1,
    "방수되는 부츠 추천": 1,
    "편한 신발": 3,
    "운동하": 3,
    "운둥화": 3,
    "WATERPROOF": 4,
    "waterprof boot": 4,
    unicodedata.normalize("NFD", "흰색 원피스"): 2,
    "cafe": 6,
    "红色": 7,
}


def test_what_is_found_first(connection: psycopg.Connection, product: str) -> None:
    assert {query: found(connection, query)[0] for query in FIRST} == FIRST


def test_a_word_that_all_have_is_found(connection: psycopg.Connection, product: str) -> None:
    connection.execute("DELETE FROM product WHERE id NOT IN (2, 5)")
    assert sorted(found(connection, "원피스")) == [2, 5]
    assert found(connection, "자전거") == []


def test_the_score_is_the_share_that_a_row_has(connection: psycopg.Connection, product: str) -> None:
    rows = connection.execute(
        "SELECT similarity, detail FROM search_image('흰색 원피스', 'fake', options => '{\"method\": \"keyword\"}')"
    ).fetchall()
    assert [row[0] for row in rows] == [None] * len(rows)
    assert rows[0][1]["keyword"] == {"rank": 1, "score": 1} and rows[0][1]["method"] == "keyword"
    assert 0 < rows[1][1]["keyword"]["score"] < 1


def test_it_is_always_true(connection: psycopg.Connection, product: str) -> None:
    connection.execute("INSERT INTO product (id, name) VALUES (8, '초록색 우산')")
    assert found(connection, "우산", k=1) == [8]
    connection.execute("UPDATE product SET name = '초록색 양산', description = '비 오는 날' WHERE id = 8")
    assert found(connection, "우산", k=1) != [8] and found(connection, "비 오는", k=1) == [8]
    connection.execute("ALTER TABLE product RENAME name TO title; ALTER TABLE product RENAME TO goods")
    assert found(connection, "양산", k=1) == [8]
    connection.execute("DELETE FROM goods WHERE id = 8")
    assert found(connection, "양산", k=1) != [8]


def test_filter(connection: psycopg.Connection, product: str) -> None:
    assert found(connection, "원피스", filter="id > 2 -- a comment") == [5]
    with pytest.raises(psycopg.errors.UndefinedColumn):
        found(connection, "원피스", filter="term = 'x'")  # our own names are not the user's


def test_the_index_is_used(connection: psycopg.Connection, product: str) -> None:
    (statement,) = connection.execute(  # type: ignore[misc]
        "SELECT search_sql('원피스', 'fake', options => '{\"method\": \"keyword\"}')"
    ).fetchone()
    plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + statement).fetchall())
    assert "Bitmap Index Scan on product_keyword_terms_idx" in plan
    assert [key["id"] for _, key, *_ in connection.execute(statement).fetchall()] == found(connection, "원피스")


def test_the_view_and_the_end(connection: psycopg.Connection, product: str) -> None:
    assert connection.execute("SELECT target::text, columns, language FROM thanopg.keyword_index").fetchall() == [
        ("product", ["name", "description"], None)
    ]
    with pytest.raises(psycopg.errors.DuplicateObject, match="has a keyword index"):
        connection.execute("SELECT add_keyword_index('product', ARRAY['name'])")
    connection.execute("SELECT drop_keyword_index('product')")
    with pytest.raises(psycopg.errors.UndefinedObject):
        connection.execute("SELECT drop_keyword_index('product')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no keyword index") as caught:
        found(connection, "원피스")
    assert "add_keyword_index" in (caught.value.diag.message_hint or "")


def test_a_dictionary_where_there_is_one(connection: psycopg.Connection, product: str) -> None:
    connection.execute("SELECT drop_keyword_index('product')")
    connection.execute("SELECT add_keyword_index('product', ARRAY['name'], language => 'english')")
    assert connection.execute("SELECT language FROM thanopg.keyword_index").fetchone() == ("english",)
    connection.execute("INSERT INTO product (id, name) VALUES (8, 'they ran'), (9, 'quick runners run'), (10, 'ruin')")
    assert found(connection, "running", k=1) == [9]


def test_built_concurrently(connection: psycopg.Connection, product: str) -> None:
    connection.execute("SELECT drop_keyword_index('product')")
    (statement,) = connection.execute(  # type: ignore[misc]
        "SELECT thanopg.keyword_index_statement('product', ARRAY['name'], concurrent => true)"
    ).fetchone()
    assert statement.startswith("CREATE INDEX CONCURRENTLY")
    connection.execute(statement)
    assert found(connection, "방수", k=1) == [1]


ERRORS = [
    ("'product', ARRAY['nope']", "42703", "its columns: "),
    ("'product', ARRAY['id']", "42804", "expected text"),
    ("'product', ARRAY[]::text[]", "22023", "at least one"),
    ("'product', ARRAY[NULL]", "22004", ""),
    ("'product', NULL", "22004", ""),
    ("'product', ARRAY['name'], 'klingon'", "42704", "leave it out"),
    ("'pg_class', ARRAY['relname']", "42809", "system table"),
]


def test_errors(connection: psycopg.Connection, product: str) -> None:
    connection.execute("SELECT drop_keyword_index('product')")
    for arguments, sqlstate, said in ERRORS:
        with pytest.raises(psycopg.Error) as error:
            connection.execute(f"SELECT add_keyword_index({arguments})")
        assert error.value.sqlstate == sqlstate, arguments
        assert said in f"{error.value.diag.message_primary} {error.value.diag.message_hint}", arguments


@pytest.fixture
def weird(connection: psycopg.Connection, service: RunningService) -> Iterator[str]:
    connection.execute("SELECT create_model('fake', source => 'fake:8', base => 'base')")
    connection.execute("""
        CREATE SCHEMA "상 점";
        CREATE TABLE "상 점"."keyword_row" (
          "rank" int, "Key ""1" text, bytes bytea, "설 명" text, "term" text, PRIMARY KEY ("rank", "Key ""1"));
        INSERT INTO "상 점"."keyword_row" VALUES (1, 'a', NULL, '빨간 모자', 'x'), (1, 'b', NULL, '파란 모자', 'y')
    """)
    connection.execute("""SELECT add_image_embedding('"상 점"."keyword_row"', 'bytes', 'fake')""")
    connection.execute("""SELECT add_keyword_index('"상 점"."keyword_row"', ARRAY['설 명', 'term'])""")
    yield '"상 점"."keyword_row"'


def test_any_names_and_keys(connection: psycopg.Connection, weird: str) -> None:
    for method, table in (("keyword", weird), ("hybrid", weird)):
        options = f'{{"method": "{method}"}}'
        rows = connection.execute(
            "SELECT key, image FROM search_image('파란 모자', 'fake', 5, target => %s, filter => %s, options => %s)",
            (table, "\"term\" <> 'x' AND keyword_row.rank = 1", options),
        ).fetchall()
        assert rows == [({"rank": 1, 'Key "1': "b"}, None)]
    item = connection.execute(
        f"""SELECT (item)."설 명" FROM search_rows(NULL::{weird}, '빨간', 'fake', 1, options => %s)""",
        ('{"method": "keyword"}',),
    ).fetchone()
    assert item == ("빨간 모자",)


def test_rows_that_a_policy_hides_are_not_found(
    connection: psycopg.Connection, superuser_connection: psycopg.Connection, database: object, product: str
) -> None:
    connection.execute("ALTER TABLE product ENABLE ROW LEVEL SECURITY; ALTER TABLE product FORCE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY few ON product USING (id < 5)")
    assert found(connection, "원피스") == [2]


def test_who_writes_rows_needs_to_know_nothing_of_it(
    connection: psycopg.Connection, superuser_connection: psycopg.Connection, database: object, product: str
) -> None:
    role = f"app_{database.name}"  # type: ignore[attr-defined]
    superuser_connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    try:
        connection.execute(f"GRANT INSERT ON product TO {role}")
        url = database.url  # type: ignore[attr-defined]
        with connect(url.replace(url.split("//")[1].split("@")[0], f"{role}:x"), autocommit=True) as session:
            session.execute("INSERT INTO product (id, name) VALUES (9, '노란 우산')")
        assert found(connection, "우산", k=1) == [9]
    finally:
        superuser_connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
def large(connection: psycopg.Connection, superuser_connection: psycopg.Connection, product: str) -> str:
    """A table of 400 rows that its statistics call large."""
    connection.execute(
        "INSERT INTO product (id, name) SELECT i, (ARRAY['빨간', '파란', '흰색'])[i % 3 + 1] || ' ' || "
        "(ARRAY['우산', '지갑', '안경', '장갑'])[i % 4 + 1] || ' ' || i || '호' FROM generate_series(100, 499) i"
    )
    connection.execute("ANALYZE product")
    superuser_connection.execute("UPDATE pg_class SET reltuples = 50000 WHERE relname = 'product'")
    return product


def test_in_a_large_table_the_rarest_words_choose(connection: psycopg.Connection, large: str) -> None:
    (statement,) = connection.execute(  # type: ignore[misc]
        "SELECT search_sql('방수 부츠', 'fake', options => '{\"method\": \"keyword\"}')"
    ).fetchone()
    assert "anchor_term" in statement and "term_frequencies" in statement
    assert {query: found(connection, query)[0] for query in FIRST} == FIRST
    names = dict(connection.execute("SELECT id, name FROM product").fetchall())
    assert [names[row] for row in found(connection, "파란 안경 118호", k=1)] == ["파란 안경 118호"]
    assert all("안경" in names[row] and "파란" in names[row] for row in found(connection, "파란 안경", k=30))


def test_how_common_words_are_is_told_to_those_who_may_count(
    connection: psycopg.Connection, superuser_connection: psycopg.Connection, database: object, large: str
) -> None:
    ask = "SELECT count(*) FROM thanopg.term_frequencies('product_keyword_terms_idx')"
    common = connection.execute(
        "SELECT frequency FROM thanopg.term_frequencies('product_keyword_terms_idx') WHERE term = %s",
        (unicodedata.normalize("NFD", " 우산 "),),
    ).fetchone()
    assert common == (pytest.approx(100 / 407, abs=0.01),)
    role = f"app_{database.name}"  # type: ignore[attr-defined]
    superuser_connection.execute(f"CREATE ROLE {role}; GRANT thanopg_reader TO {role}")
    try:
        superuser_connection.execute(f"SET ROLE {role}")
        assert superuser_connection.execute(ask).fetchone() == (0,)
        connection.execute(f"GRANT SELECT ON product TO {role}")
        assert superuser_connection.execute(ask).fetchone()[0] > 0  # type: ignore[index]
        connection.execute("ALTER TABLE product ENABLE ROW LEVEL SECURITY")
        assert superuser_connection.execute(ask).fetchone() == (0,)
    finally:
        superuser_connection.execute("RESET ROLE")
        superuser_connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
