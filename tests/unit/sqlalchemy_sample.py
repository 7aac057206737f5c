"""What users write. mypy --strict and pyright accept every line but those that say `# wrong`."""

from __future__ import annotations

from typing import Any, assert_type

import numpy as np
from PIL import Image
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    Session,
    aliased,
    declared_attr,
    joinedload,
    mapped_column,
    relationship,
)

from thanopg.sqlalchemy import (
    Embedding,
    Key,
    Search,
    Vector,
    caption,
    caption_attributes,
    embeddings_of,
    image_embedding,
    search,
    text_embedding,
)


class Base(DeclarativeBase):
    pass


class HasImage:
    image_path: Mapped[str]
    embedding: Mapped[Vector | None] = image_embedding("image_path", model="siglip2", type="halfvec")

    @declared_attr
    def second(cls) -> Mapped[Vector | None]:
        return image_embedding("image_path", model="clip", name="second_vector", deferred=False)


class Shop(Base):
    __tablename__ = "shop"

    id: Mapped[int] = mapped_column(primary_key=True)


class Photo(HasImage, Base):
    __tablename__ = "photo"
    __table_args__ = ({"schema": "shop"},)

    id: Mapped[int] = mapped_column(primary_key=True)
    shop: Mapped[Shop] = relationship()
    caption: Mapped[str | None] = caption("image_path", model="catalog", language="ko", attributes="traits")
    traits: Mapped[dict[str, Any] | None] = caption_attributes()
    meaning: Mapped[Vector | None] = text_embedding("caption", model="e5", dimensions=384, index="later")


class Look(MappedAsDataclass, Base):
    __tablename__ = "look"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_path: Mapped[str]
    embedding: Mapped[list[float] | None] = image_embedding("image_path", model="siglip2")


class Wrong(Base):
    __tablename__ = "wrong"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = image_embedding("image_path", model="siglip2")  # wrong
    always: Mapped[Vector] = image_embedding("image_path", model="siglip2")  # wrong
    kind: Mapped[Vector | None] = image_embedding("image_path", model="siglip2", type="bit")  # wrong
    nameless: Mapped[Vector | None] = image_embedding("image_path")  # wrong


def found(session: Session) -> list[tuple[Photo, float]]:
    statement = search(Photo, "검은 고양이").where(Photo.id > 3).options(joinedload(Photo.shop)).limit(5)
    assert_type(statement, Search[Photo])
    for photo, similarity in session.execute(statement):
        assert_type(photo, Photo)
        assert_type(similarity, float)
    row = session.execute(statement).one()
    name: str = row[0]  # wrong
    return [(photo, similarity) for photo, similarity in session.execute(statement) if name]


def other_queries(session: Session, photo: Photo, image: Image.Image) -> None:
    for query in (b"\xff", image, photo, Key(7), Key("shop", 7), [0.5, 0.5], np.ones(2), select(Photo.embedding)):
        session.execute(search(Photo, query, column=Photo.meaning).limit(5))
        session.execute(search(aliased(Photo), query, column="embedding").limit(5))


def ordinary() -> Select[Photo, float]:
    return search(Photo, "x").limit(5)


def expressions(session: Session) -> list[Photo]:
    similarity = Photo.embedding.similarity("a black cat")
    nearest = select(Photo).where(similarity > 0.2).order_by(Photo.embedding.distance("a black cat")).limit(1)
    session.scalar(select(func.thanopg.embed_text("x", "siglip2")))
    return list(session.scalars(nearest))


async def asynchronously(session: AsyncSession) -> float:
    rows = (await session.execute(search(Photo, "x").limit(5))).all()
    return rows[0][1]


def vector(photo: Photo) -> list[float] | None:
    return photo.embedding


def declared() -> list[tuple[str, Embedding]]:
    table = Photo.metadata.tables["shop.photo"]
    return [(column.name, embedding) for column, embedding in embeddings_of(table)]
