"""The SQL that is written, without a database."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Integer, String, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

from thanopg.sqlalchemy import Key, Vector, image_embedding, search


class Base(DeclarativeBase):
    pass


class Photo(Base):
    __tablename__ = "photo"
    __table_args__ = {"schema": "the shop"}

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str]
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake")
    half: Mapped[Vector | None] = image_embedding("image_path", model="other", type="halfvec", name="h")


Nearby = aliased(Photo, name="p")


def written(statement: Any) -> str:
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return " ".join(str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).split())


ASKED = "(SELECT CAST(thanopg.embed_text('x', 'fake') AS VECTOR) AS embed_text_1)"
COLUMN = '"the shop".photo.embedding'


@pytest.mark.parametrize(
    ("expression", "sql"),
    [
        (Photo.embedding.distance("x"), f"{COLUMN} <=> {ASKED}"),
        (Photo.embedding.similarity("x"), f"1 - ({COLUMN} <=> {ASKED})"),
        (Photo.embedding.similarity("x").desc(), f"({COLUMN} <=> {ASKED}) ASC"),
        (Nearby.embedding.distance("x"), f"p.embedding <=> {ASKED}"),
        (
            Photo.half.distance("it's"),
            "\"the shop\".photo.h <=> (SELECT CAST(thanopg.embed_text('it''s', 'other') AS HALFVEC) AS embed_text_1)",
        ),
        (
            Photo.half.distance(np.array([1, 0.5])),
            "\"the shop\".photo.h <=> (SELECT CAST('[1.0,0.5]' AS HALFVEC) AS anon_1)",
        ),
        (
            Nearby.embedding.distance(Key(7)),
            "p.embedding <=> (SELECT CAST(thanopg.row_vector(thanopg.find_embedding_column(NULL, "
            "'\"the shop\".photo'::regclass, 'embedding'), jsonb_build_object('id', CAST(7 AS INTEGER))) AS VECTOR) "
            "AS row_vector_1)",
        ),
        (Photo.embedding.distance(Photo.half), f'{COLUMN} <=> "the shop".photo.h'),
        (func.thanopg.embed_text("x", "fake"), "thanopg.embed_text('x', 'fake')"),
        (func.thanopg.embed_text("x", "fake").l2_distance([1]), "thanopg.embed_text('x', 'fake') <-> '[1.0]'"),
        (Photo.embedding.distance("x") + 1, f"({COLUMN} <=> {ASKED}) + 1"),
        (Photo.embedding.distance("x") < 1, f"({COLUMN} <=> {ASKED}) < 1"),
    ],
)
def test_expressions(expression: Any, sql: str) -> None:
    assert written(expression) == sql


def test_the_model_goes_with_the_column() -> None:
    inner = select(Photo.id, Photo.half.label("v")).subquery()
    assert "embed_text('x', 'other') AS HALFVEC" in written(select(inner.c.v.distance("x")))
    assert "embed_text('x', 'other') AS HALFVEC" in written(select(func.coalesce(Photo.half).distance("x")))


def test_types() -> None:
    assert str(Photo.embedding.distance("x").type) == str(Photo.embedding.similarity("x").type) == "FLOAT"
    assert str(func.thanopg.embed_text("x", "m").type) == str(func.thanopg.embed_image(b"", "m").type) == "VECTOR"
    assert isinstance(func.thanopg.caption_image(b"", "m").type, String)
    assert func.thanopg.refresh("photo", type_=Integer).type._type_affinity is Integer  # ours all, typed or not


SEARCH = """
    WITH anon_1 AS MATERIALIZED (SELECT CAST(thanopg.embed_text('x', 'fake') AS VECTOR) AS vector),
    anon_2 AS MATERIALIZED (SELECT "the shop".photo.id AS id FROM "the shop".photo
    WHERE "the shop".photo.embedding IS NOT NULL AND "the shop".photo.id > 3
    AND (SELECT thanopg.prepare_scan(thanopg.candidates(5 + 2)) AS prepare_scan_1)
    ORDER BY "the shop".photo.embedding <=> (SELECT anon_1.vector FROM anon_1) LIMIT 5 + 2)
    SELECT "the shop".photo.id, "the shop".photo.image_path,
    1 - ("the shop".photo.embedding <=> (SELECT anon_1.vector FROM anon_1)) AS similarity FROM "the shop".photo
    WHERE "the shop".photo.embedding IS NOT NULL AND "the shop".photo.id > 3
    AND "the shop".photo.id IN (SELECT anon_2.id FROM anon_2 UNION ALL SELECT anon_3.id FROM
    (SELECT "the shop".photo.id AS id FROM "the shop".photo
    WHERE "the shop".photo.embedding IS NOT NULL AND "the shop".photo.id > 3
    AND (SELECT count(*) AS count_1 FROM anon_2) < 5 + 2
    ORDER BY ("the shop".photo.embedding <=> (SELECT anon_1.vector FROM anon_1)) + 0 LIMIT 5 + 2) AS anon_3)
    ORDER BY ("the shop".photo.embedding <=> (SELECT anon_1.vector FROM anon_1)) + 0 LIMIT 5 OFFSET 2
"""


def test_one_statement_of_search() -> None:
    statement = search(Photo, "x", column="embedding").where(Photo.id > 3).limit(5).offset(2)
    assert written(statement) == " ".join(SEARCH.split())


def test_statements_are_cached_by_what_they_are() -> None:
    def key(statement: Any) -> Any:
        made = statement._generate_cache_key()
        assert made is not None
        return made.key

    same = [search(Photo, words, column="half").limit(limit) for words, limit in (("x", 1), ("고양이", 9))]
    assert key(same[0]) == key(same[1])
    assert key(search(Photo, Key(1), column="half")) == key(search(Photo, Key(2), column="half"))
    different = [
        search(Photo, "x", column="half"),
        search(Photo, "x", column="embedding"),
        search(Photo, [1.0], column="half"),
        search(Photo, Key(1), column="half"),
        search(Photo, "x", column="half").limit(3),
        search(Nearby, "x", column="half"),
        select(Photo).order_by(Photo.half.distance("x")),
        select(Photo).order_by(Photo.half.cosine_distance([1.0])),
    ]
    assert len({key(statement) for statement in different}) == len(different)
