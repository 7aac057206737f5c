"""Hangul wherever a name or a text can stand: tables, columns, models, files, queries, statements, messages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.db.conftest import DIMENSIONS
from tests.running_service import RunningService
from tests.working import picture, vector, work_off
from thanopg.config import Settings
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.result import Images, Table
from thanopg.thanosql.session import Session

ROWS = 3
DESCRIPTION = "무릎까지 오는 면 원피스"
COLUMNS = ("가게_기본", "그림 설명", "설명 벡터", "가게_기본_설명")
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The image root: the first picture's name is composed, the second's decomposed, a third is none."""
    for n, form in enumerate(FORMS):
        path = tmp_path / unicodedata.normalize(form, f"그림/빨간 원피스 {n}.png")
        path.parent.mkdir()
        path.write_bytes(picture(n))
    (tmp_path / "그림/빨간 원피스 2.png").write_text("그림이 아닙니다")
    return tmp_path


@pytest.fixture
def model(connection: psycopg.Connection, service: RunningService) -> str:
    connection.execute(f"SELECT create_model('가게', base => '기본', source => 'fake:{DIMENSIONS}')")
    connection.execute("SELECT create_model('글쓴이', source => 'fake:0')")
    return "가게"


@pytest.fixture(params=['"사진"', '"여름 상품"'], ids=["plain", "spaced"])
def table(connection: psycopg.Connection, model: str, request: pytest.FixtureRequest) -> str:
    """As SQL writes it; its third picture is none."""
    name = str(request.param)
    connection.execute(f'CREATE TABLE {name} (번호 int PRIMARY KEY, 그림 text, 설명 text, "상품 이름" text)')
    connection.execute(f"SELECT add_image_embedding('{name}', '그림', '가게')")
    connection.execute(f"SELECT add_caption('{name}', '그림', '글쓴이', '그림 설명', attributes_column => '속성')")
    connection.execute(f"SELECT add_text_embedding('{name}', '그림 설명', '가게', '설명 벡터')")
    connection.execute(f"SELECT add_text_embedding('{name}', '설명', '가게')")
    for n in range(ROWS):
        connection.execute(
            f"INSERT INTO {name} VALUES (%s, %s, %s, %s)",
            (n, f"그림/빨간 원피스 {n}.png", DESCRIPTION, f"상품 {n}"),
        )
    return name


@pytest.fixture
def session(database: Database, model: str, root: Path, library: ModelLibrary) -> Iterator[Session]:
    settings = Settings(home=root / "home", image_root=root, device="cpu")
    with Session(database.url, settings, library=library) as made:
        yield made


def text_vector(text: str) -> list[float]:
    return [float(value) for value in FakeEmbedder(DIMENSIONS).embed_texts([text]).vectors[0]]


def rows_of(session: Session, statement: str) -> list[tuple[object, ...]]:
    result = session.run(statement)
    assert isinstance(result, Table)
    return [tuple(row) for row in result.rows]


def test_embeddings_and_captions(connection: psycopg.Connection, database: Database, table: str, root: Path) -> None:
    assert work_off(database.url, root).faults == {"not_an_image": 2}
    rows = connection.execute(
        'SELECT 가게_기본::real[], "그림 설명", 속성->>\'언어\', "설명 벡터"::real[], 가게_기본_설명::real[] '
        f"FROM {table} ORDER BY 번호"
    ).fetchall()
    for n, (of_picture, caption, language, of_caption, of_text) in enumerate(rows):
        assert of_text == pytest.approx(text_vector(DESCRIPTION), abs=1e-6)
        if n == 2:
            assert (of_picture, caption, language, of_caption) == (None, None, None, None)
            continue
        assert of_picture == pytest.approx(vector(n, DIMENSIONS), abs=1e-6)
        assert language == "ko" and caption.startswith("무늬가 있는 그림 ")
        assert unicodedata.is_normalized("NFC", caption)
        assert of_caption == pytest.approx(text_vector(caption), abs=1e-6)


def test_status_and_failures(connection: psycopg.Connection, database: Database, table: str, root: Path) -> None:
    work_off(database.url, root)
    status = connection.execute("SELECT target::text, column_name, rows, embedded FROM embedding_status").fetchall()
    assert status == [
        (table, name, *counts) for name, counts in zip(COLUMNS, [(3, 2), (3, 2), (2, 2), (3, 3)], strict=True)
    ]
    failures = connection.execute("SELECT column_name, key, error_type FROM failure ORDER BY column_name").fetchall()
    assert failures == [(name, {"번호": 2}, "not_an_image") for name in sorted(COLUMNS[:2])]
    assert connection.execute("SELECT retry(%s::regclass)", [table]).fetchone() == (2,)
    assert connection.execute("SELECT refresh(%s::regclass)", [table]).fetchone() == (11,)
    work_off(database.url, root)


def test_search(connection: psycopg.Connection, database: Database, table: str, root: Path) -> None:
    work_off(database.url, root)
    query = np.array(text_vector("원피스"))
    near = sorted(((float(query @ vector(n, DIMENSIONS)), n) for n in range(2)), reverse=True)
    column = "column_name => '가게_기본'"
    found = connection.execute(
        f"SELECT key, image, similarity FROM search_image('원피스', '가게', 5, %s::regclass, {column})", [table]
    ).fetchall()
    assert found == [({"번호": n}, f"그림/빨간 원피스 {n}.png", pytest.approx(s, abs=1e-6)) for s, n in near]
    for n in range(ROWS):
        filtered = connection.execute(
            f"SELECT (item).번호, (item).\"상품 이름\" FROM search_rows(NULL::{table}, '원피스', '가게', 5, "
            f"""filter => $$"상품 이름" = '상품 {n}'$$, {column})"""
        ).fetchall()
        assert filtered == ([(n, f"상품 {n}")] if n < 2 else [])
    similar = f"SELECT key FROM similar_image(%s::regclass, %s::jsonb, '가게', 5, {column})"
    assert connection.execute(similar, [table, '{"번호": 1}']).fetchall() == [({"번호": 0},)]
    written = connection.execute(f"SELECT search_sql('원피스', '가게', 5, %s::regclass, {column})", [table]).fetchone()
    assert written is not None
    assert [row[0] for row in connection.execute(written[0])] == [key for key, *_ in found]


def test_embeddings_taken_away(connection: psycopg.Connection, table: str) -> None:
    assert connection.execute("SELECT set_index(%s::regclass, '가게_기본', 'none')", [table]).rowcount == 1
    for name in ("설명 벡터", "그림 설명", "가게_기본", "가게_기본_설명"):
        connection.execute("SELECT drop_embedding(%s::regclass, %s)", [table, name])
    left = connection.execute(f"SELECT * FROM {table}").description
    assert left is not None
    assert [column.name for column in left] == ["번호", "그림", "설명", "상품 이름"]


def test_a_name_too_long_in_bytes_is_refused(connection: psycopg.Connection, model: str) -> None:
    """A syllable is three bytes: PostgreSQL alone would cut the name in the middle of one."""
    connection.execute("CREATE TABLE 사진 (번호 int PRIMARY KEY, 그림 text)")
    name = "그림벡터" * 5 + "값"
    assert connection.execute("SELECT add_image_embedding('사진', '그림', '가게', %s)", [name]).fetchone() == (name,)
    with pytest.raises(psycopg.errors.NameTooLong, match="has 66 bytes"):
        connection.execute("SELECT add_image_embedding('사진', '그림', '가게', %s)", [name + "값"])


def test_messages_name_them(connection: psycopg.Connection, table: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
        connection.execute("SELECT add_image_embedding(%s::regclass, '없는 열', '가게', '새 열')", [table])
    assert f'{table} has no column "없는 열"' in str(caught.value)
    assert '"번호", "그림", "설명", "상품 이름"' in (caught.value.diag.message_hint or "")


@pytest.mark.parametrize("form", FORMS)
def test_thanosql(session: Session, root: Path, form: Literal["NFC", "NFD"]) -> None:
    """From a file whose name, header and paths are in either form."""
    listed = "번호,상품 이름,그림\n" + "".join(f"{n},상품 {n},그림/빨간 원피스 {n}.png\n" for n in range(2))
    (root / unicodedata.normalize(form, "상품 목록.csv")).write_text(unicodedata.normalize(form, listed))
    session.run("COPY 상품 FROM '상품 목록.csv'")
    session.run("COPY \"여름 상품\" FROM '상품 목록.csv'")
    for name in ("상품", '"여름 상품"'):
        assert [number for (number,) in rows_of(session, f"SELECT 번호 FROM {name} ORDER BY 상품_이름")] == [0, 1]
        converted = rows_of(session, f"CONVERT USING 가게 OPTIONS(image_col='그림') AS SELECT * FROM {name}")
        for n, (*_, made) in enumerate(converted):
            assert made == pytest.approx(vector(n, DIMENSIONS), abs=1e-6)
        captioned = f"CONVERT USING 글쓴이 OPTIONS(image_col='그림', result_col='그림 설명') AS SELECT * FROM {name}"
        assert all(str(row[-1]).startswith("무늬가 있는 그림 ") for row in rows_of(session, captioned))
        query = np.array(text_vector("원피스"))
        nearest = max(range(2), key=lambda n: float(query @ vector(n, DIMENSIONS)))
        searched = (
            f"SELECT 번호 FROM (SEARCH IMAGE text='원피스' USING 가게 AS SELECT * FROM {name}) "
            "ORDER BY 가게_기본_similarity1 DESC LIMIT 1"
        )
        assert rows_of(session, searched) == [(nearest,)]
        by_picture = (
            "SEARCH IMAGE USING 가게 OPTIONS(search_by='image', search_input='그림/빨간 원피스 1.png', top_k=1) "
            f"AS SELECT 번호, 가게_기본 FROM {name}"
        )
        assert [row[0] for row in rows_of(session, by_picture)] == [1]
        printed = session.run(f"PRINT IMAGE AS (SELECT 그림 AS image_path FROM {name} ORDER BY 번호)")
        assert isinstance(printed, Images)
        assert [session.read_picture(shown) for shown in printed.pictures] == [picture(0), picture(1)]
