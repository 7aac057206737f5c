"""Queries put together: several texts, less of some, pictures, rows like these; templates; one form of Hangul."""

from __future__ import annotations

import base64
import json
import unicodedata
from typing import Any

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector

from tests.pictures import jpeg
from tests.running_service import RunningService
from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 16
ROWS = 60
Array = NDArray[np.float32]


@pytest.fixture
def vectors(connection: psycopg.Connection, service: RunningService) -> Array:
    connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, name text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("SELECT add_text_embedding('photo', 'name', 'fake', 'name_vector')")
    register_vector(connection)
    made = np.random.default_rng(5).standard_normal((ROWS, DIMENSIONS)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO photo VALUES (%s, %s, '이름', %s, %s)",
            [(i, f"{i}.jpg", Vector(made[i]), Vector(-made[i])) for i in range(ROWS)],
        )
    return made


def text(*texts: str) -> Array:
    return FakeEmbedder(DIMENSIONS).embed_texts(texts).vectors


def nearest(vectors: Array, query: Array, k: int = 5, leave: tuple[int, ...] = ()) -> list[int]:
    return [int(i) for i in np.argsort(-(vectors @ query), kind="stable") if i not in leave][:k]


def found(connection: psycopg.Connection, query: str | bytes | None, k: int = 5, **options: Any) -> list[int]:
    kind = "bytea" if isinstance(query, bytes) else "text"
    rows = connection.execute(
        f"SELECT key, similarity FROM search_image(%s::{kind}, 'fake', %s, options => %s)",
        (query, k, json.dumps(options)),
    ).fetchall()
    if options.get("method") != "hybrid":
        assert [s for _, s in rows] == sorted((s for _, s in rows), reverse=True)
    return [key["id"] for key, _ in rows]


def test_texts_and_less_of_others(connection: psycopg.Connection, vectors: Array) -> None:
    q, a, b, c = text("원피스", "빨간색", "물방울무늬", "긴팔")
    assert found(connection, "원피스", plus=["빨간색"]) == nearest(vectors, q + a)
    assert found(connection, "원피스", minus=["빨간색"]) == nearest(vectors, q - 0.5 * a)
    composed = q + 0.25 * b + a - 2 * c
    options = {
        "plus": [{"text": "물방울무늬", "weight": 0.25}, "빨간색"],
        "minus": [{"text": "긴팔", "weight": 2}],
    }
    assert found(connection, "원피스", **options) == nearest(vectors, composed)
    similarity = connection.execute(
        "SELECT similarity FROM search_image('원피스', 'fake', 1, options => %s)", (json.dumps(options),)
    ).fetchone()
    best = nearest(vectors, composed)[0]
    assert similarity == (pytest.approx(float(vectors[best] @ composed / np.linalg.norm(composed)), abs=1e-5),)


def test_text_and_picture(connection: psycopg.Connection, vectors: Array, service: RunningService) -> None:
    picture = jpeg()
    (own,) = connection.execute("SELECT embed_image(%s, 'fake')::text", (picture,)).fetchone()  # type: ignore[misc]
    image = np.array(json.loads(own), dtype=np.float32)
    assert found(connection, picture, plus=["빨간색"]) == nearest(vectors, image + text("빨간색")[0])
    options = {"plus": [{"image": base64.b64encode(picture).decode(), "weight": 0.5}]}
    assert found(connection, "원피스", **options) == nearest(vectors, 0.5 * image + text("원피스")[0])


def test_like_these_rows_and_not_like_those(connection: psycopg.Connection, vectors: Array) -> None:
    like = vectors[1] + vectors[2] - 0.5 * vectors[3]
    assert found(connection, None, like=[{"id": 1}, {"id": 2}], unlike=[{"id": 3}]) == nearest(
        vectors, like, 5, (1, 2, 3)
    )
    weighted = text("원피스")[0] + 0.5 * vectors[1]
    assert found(connection, "원피스", like=[{"key": {"id": 1}, "weight": 0.5}]) == nearest(vectors, weighted, 5, (1,))
    rows = connection.execute(
        "SELECT key FROM similar_image('photo', '{\"id\": 7}', 'fake', 4, options => '{\"plus\": [\"빨간색\"]}')"
    ).fetchall()
    assert [key["id"] for (key,) in rows] == nearest(vectors, vectors[7] + text("빨간색")[0], 4, (7,))


def test_other_methods_compose_in_their_own_space(connection: psycopg.Connection, vectors: Array) -> None:
    options = {"method": "caption", "like": [{"id": 7}], "plus": ["빨간색"]}
    assert found(connection, None, **options) == nearest(-vectors, -vectors[7] + text("빨간색")[0], 5, (7,))
    rows = connection.execute("SELECT key FROM similar_image('photo', '{\"id\": 7}', 'fake', 4, options => %s)",
                              ('{"method": "caption"}',)).fetchall()  # fmt: skip
    assert [key["id"] for (key,) in rows] == nearest(-vectors, -vectors[7], 4, (7,))


def test_words_that_are_not_wanted(connection: psycopg.Connection, vectors: Array) -> None:
    connection.execute("SELECT add_keyword_index('photo', ARRAY['name'])")
    connection.execute("UPDATE photo SET name = (ARRAY['빨간', '', '파란'])[id - 3] || ' 원피스' WHERE id IN (4, 5, 6)")
    options = {"method": "keyword", "minus": [{"text": "빨간", "weight": 1}]}
    scores = connection.execute(
        "SELECT key, detail FROM search_image('원피스', 'fake', options => %s)", (json.dumps(options),)
    ).fetchall()
    score = {key["id"]: detail["score"] for key, detail in scores}
    assert score[5] == 1 > score[6] > score.get(4, 0)  # 파란 has letters of 빨간


def test_templates(connection: psycopg.Connection, vectors: Array) -> None:
    plain, photo = text("원피스", "a photo of 원피스")
    assert found(connection, "원피스", template="a photo of {}") == nearest(vectors, photo)
    assert found(connection, "원피스", template=["{}", "a photo of {}"]) == nearest(vectors, plain + photo)
    connection.execute("SELECT set_template('fake', 'a photo of {}')")
    assert found(connection, "원피스") == nearest(vectors, photo)
    assert found(connection, "원피스", template="{}") == nearest(vectors, plain)
    assert found(connection, "원피스", minus=["빨간색"]) == nearest(vectors, photo - 0.5 * text("a photo of 빨간색")[0])
    assert found(connection, "원피스", method="caption") == nearest(-vectors, plain)  # texts are no pictures
    (statement,) = connection.execute("SELECT search_sql('원피스', 'fake')").fetchone()  # type: ignore[misc]
    assert "embed_text('a photo of 원피스', 'fake')" in statement
    connection.execute("SELECT set_template('fake')")
    assert found(connection, "원피스") == nearest(vectors, plain)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no place"):
        connection.execute("SELECT set_template('fake', 'a photo')")


def test_the_statement_runs_as_it_is(connection: psycopg.Connection, vectors: Array) -> None:
    options = {"plus": ["it's"], "minus": ["빨간색"], "like": [{"id": 3}], "template": ["{}", "a {}"]}
    for method in ("image", "caption", "hybrid"):
        (statement,) = connection.execute(  # type: ignore[misc]
            "SELECT search_sql('원피스', 'fake', 6, options => %s)", (json.dumps({**options, "method": method}),)
        ).fetchone()
        cursor = connection.execute(statement)
        key = [column.name for column in cursor.description or ()].index("key")
        assert [row[key]["id"] for row in cursor.fetchall()] == found(connection, "원피스", 6, **options, method=method)


def test_the_query_vector_is_computed_once(connection: psycopg.Connection, vectors: Array) -> None:
    (statement,) = connection.execute(  # type: ignore[misc]
        'SELECT search_sql(\'원피스\', \'fake\', 6, options => \'{"minus": ["a"], "method": "hybrid"}\')'
    ).fetchone()
    assert statement.count("combine_vectors") == 1 and statement.count("embed_text") == 2


def test_one_form_of_hangul(connection: psycopg.Connection, vectors: Array) -> None:
    typed = unicodedata.normalize("NFD", "빨간 원피스")
    assert typed != "빨간 원피스"
    same = connection.execute("SELECT embed_text(%s, 'fake') = embed_text('빨간 원피스', 'fake')", (typed,)).fetchone()
    assert same == (True,)
    assert found(connection, typed) == found(connection, "빨간 원피스")
    assert found(connection, "x", plus=[typed]) == found(connection, "x", plus=["빨간 원피스"])


@pytest.mark.parametrize(
    ("query", "options", "sqlstate"),
    [
        ("x", {"minus": [{"text": "x", "weight": 1}]}, "22023"),
        (None, {}, "22004"),
        (None, {"minus": ["x"]}, None),
        ("", {"plus": ["x"]}, "22023"),
        ("x", {"like": [{"id": 777}]}, "P0002"),
        ("x", {"like": [{"number": 1}]}, "22023"),
        ("x", {"plus": [{"image": "no base64!"}]}, "22023"),
        ("x", {"plus": [{"image": "AAAA"}]}, "22000"),
    ],
)
def test_errors(
    connection: psycopg.Connection, vectors: Array, query: str | None, options: dict[str, Any], sqlstate: str | None
) -> None:
    if sqlstate is None:
        assert found(connection, query, **options) == nearest(-vectors, text("x")[0])
        return
    with pytest.raises(psycopg.Error) as error:
        found(connection, query, **options)
    assert error.value.sqlstate == sqlstate
