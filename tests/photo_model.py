"""The mapped classes of the SQLAlchemy tests, and rows whose vectors are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import psycopg
from numpy.typing import NDArray
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from thanopg.models.fake import FakeEmbedder
from thanopg.sqlalchemy import Search, Vector, image_embedding

DIMENSIONS = 16
ROWS = 1200


class Base(DeclarativeBase):
    pass


class Category(Base):
    __tablename__ = "category"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Photo(Base):
    """Two embeddings of one model, so that `vector` and `halfvec` are searched alike."""

    __tablename__ = "photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str | None]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("category.id"))
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake", index="later")
    half: Mapped[Vector | None] = image_embedding("image_path", model="fake", type="halfvec", index="later")

    category: Mapped[Category | None] = relationship()
    tags: Mapped[list[Tag]] = relationship(back_populates="photo")


class Tag(Base):
    __tablename__ = "tag"

    id: Mapped[int] = mapped_column(primary_key=True)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photo.id"))
    word: Mapped[str]

    photo: Mapped[Photo] = relationship(back_populates="tags")


class EmptyPhoto(Base):
    __tablename__ = "empty_photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str]
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake")


CATEGORIES = ("원피스", "신발", "가방", "모자")


def unit_vectors() -> NDArray[np.float32]:
    made = np.random.default_rng(7).standard_normal((ROWS, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def fill(connection: psycopg.Connection) -> None:
    """Photos 0 … ROWS - 1, of which every tenth has no vector; id is its row in `unit_vectors()`.

    Of category id % 4; tags "t0" … "t{id % 3}".
    """
    vectors = unit_vectors()
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO category VALUES (%s, %s)", list(enumerate(CATEGORIES)))
        with cursor.copy("COPY photo (id, image_path, category_id, embedding, half) FROM STDIN") as copy:
            for i in range(ROWS):
                vector = None if i % 10 == 0 else "[" + ",".join(map(str, vectors[i])) + "]"
                copy.write_row((i, f"그림/{i}.jpg", i % len(CATEGORIES), vector, vector))
        cursor.execute(
            "INSERT INTO tag (id, photo_id, word) SELECT p.id * 10 + n, p.id, 't' || n "
            "FROM photo p, generate_series(0, p.id %% 3) n",
            (),
        )
        cursor.execute("SELECT pg_catalog.string_agg(thanopg.index_statement(id), ';') FROM thanopg.embedding")
        (statement,) = cursor.fetchone() or ("",)
        cursor.execute(statement)
        cursor.execute("ANALYZE")


def vector_of(words: str) -> NDArray[np.float32]:
    return FakeEmbedder(DIMENSIONS).embed_texts([words]).vectors[0]


def nearest(
    vectors: NDArray[np.float32], query: NDArray[np.float32], keep: Callable[[int], bool] = lambda _: True
) -> list[int]:
    """All that have a vector and are kept, nearest first."""
    kept = [i for i in range(ROWS) if i % 10 and keep(i)]
    return sorted(kept, key=lambda i: -float(vectors[i] @ query))


def ids(session: Session, statement: Search[Photo]) -> list[int]:
    return [photo.id for photo, _ in session.execute(statement)]
