"""search(…) with what people put beside it: joins, options, another row, other statements, other mappings."""

from __future__ import annotations

import enum
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import DateTime, Engine, ForeignKeyConstraint, event, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    aliased,
    contains_eager,
    joinedload,
    mapped_column,
    selectinload,
    undefer,
    with_loader_criteria,
)

from tests.photo_model import Category, Photo, Tag, ids, nearest, vector_of
from thanopg.sqlalchemy import Key, Vector, image_embedding, search


def test_joins(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    shoes = nearest(photo_vectors, vector_of("x"), lambda i: i % 4 == 1)
    statement = search(Photo, "x", column="embedding")
    for joined in (
        statement.join(Photo.category),
        statement.join(Category),
        statement.join(Category, Photo.category_id == Category.id),
        statement.outerjoin(Photo.category),
    ):
        assert ids(photo_session, joined.where(Category.name == "신발").limit(7)) == shoes[:7]
    chosen = statement.select_from(Category).join(Photo, Photo.category_id == Category.id)
    assert ids(photo_session, chosen.where(Category.name == "신발").limit(7)) == shoes[:7]
    assert ids(photo_session, statement.where(Photo.category.has(name="신발")).limit(7)) == shoes[:7]
    loaded = statement.join(Photo.category).options(contains_eager(Photo.category)).where(Category.name == "신발")
    assert {photo.category.name for photo, _ in photo_session.execute(loaded.limit(7))} == {"신발"}  # type: ignore[union-attr]
    # a join that multiplies rows multiplies them here as it does everywhere
    tagged = [i for i in nearest(photo_vectors, vector_of("x")) for _ in range(i % 3 + 1)]
    assert ids(photo_session, statement.join(Photo.tags).order_by(Tag.id).limit(20)) == tagged[:20]
    extra = statement.join(Photo.category).add_columns(Category.name).limit(3)
    assert [row.name for row in photo_session.execute(extra)] == [
        ("원피스", "신발", "가방", "모자")[i % 4] for i in nearest(photo_vectors, vector_of("x"))[:3]
    ]


def test_options(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    expected = nearest(photo_vectors, vector_of("x"))[:12]
    for loader in (joinedload, selectinload):
        rows = photo_session.execute(
            search(Photo, "x", column="embedding").limit(12).options(loader(Photo.tags), loader(Photo.category))
        )
        photos = [photo for photo, _ in rows.unique()]
        assert {len(photo.tags) - photo.id % 3 for photo in photos} == {1}
        assert sorted(photo.id for photo in photos) == sorted(expected)
        assert "tags" in photos[0].__dict__
        photo_session.expunge_all()
    (photo,) = photo_session.scalars(search(Photo, "x", column="embedding").limit(1).options(undefer(Photo.half)))
    assert photo.__dict__["half"] == pytest.approx(photo_vectors[photo.id].tolist(), abs=1e-3)
    assert "embedding" not in photo.__dict__
    even = search(Photo, "x", column="embedding").options(with_loader_criteria(Photo, Photo.id % 2 == 0)).limit(9)
    assert ids(photo_session, even) == nearest(photo_vectors, vector_of("x"), lambda i: i % 2 == 0)[:9]
    locked = search(Photo, "x", column="embedding").limit(3).with_for_update()
    assert ids(photo_session, locked) == expected[:3]
    streamed = photo_session.execute(search(Photo, "x", column="embedding").limit(12).execution_options(yield_per=5))
    assert [photo.id for photo, _ in streamed] == expected


def test_by_another_row(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    expected = nearest(photo_vectors, photo_vectors[7], lambda i: i != 7)[:5]
    row = photo_session.get_one(Photo, 7)
    assert ids(photo_session, search(Photo, row, column="embedding").limit(5)) == expected
    photo_session.expire(row)
    statements: list[str] = []
    event.listen(photo_session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert ids(photo_session, search(Photo, row, column="embedding").limit(5)) == expected
    assert len(statements) == 1  # the key of an expired row is known
    assert ids(photo_session, search(aliased(Photo), Key(7), column="embedding").limit(5)) == expected
    assert ids(photo_session, search(Photo, Key(7), column="embedding").where(Photo.id < 100)) == [
        i for i in nearest(photo_vectors, photo_vectors[7], lambda i: i != 7) if i < 100
    ]


def test_the_statement_in_another(photo_session: Session, photo_vectors: NDArray[np.float32]) -> None:
    expected = nearest(photo_vectors, vector_of("x"))
    found = search(Photo, "x", column="embedding").limit(8).subquery()
    nearby = aliased(Photo, found)
    again = photo_session.execute(select(nearby, found.c.similarity).order_by(found.c.similarity))
    assert [photo.id for photo, _ in again] == expected[:8][::-1]
    assert (
        photo_session.scalar(select(func.count()).select_from(search(Photo, "x", column="half").limit(8).subquery()))
        == 8
    )
    both = (
        search(Photo, "x", column="embedding")
        .with_only_columns(Photo.id)
        .limit(2)
        .union_all(search(Photo, "x", column="half").with_only_columns(Photo.id).limit(3))
    )
    assert sorted(photo_session.scalars(both)) == sorted(expected[:2] + expected[:3])
    few = aliased(Photo, select(Photo).where(Photo.id < 50).subquery())
    assert ids(photo_session, search(few, "x", column="embedding").limit(4)) == [i for i in expected if i < 50][:4]


def test_counted_per_group(photo_session: Session) -> None:
    statement = (
        search(Photo, "x", column="embedding")
        .with_only_columns(Photo.category_id, func.count())
        .order_by(None)
        .group_by(Photo.category_id)
    )
    assert sorted(photo_session.execute(statement).all()) == [(0, 240), (1, 300), (2, 240), (3, 300)]


class Mood(enum.Enum):
    calm = "calm"
    wild = "it's wild"


def test_keys_of_other_types(photo_engine: Engine) -> None:
    class Other(DeclarativeBase):
        pass

    class Scan(Other):
        __tablename__ = "scan"
        number: Mapped[uuid.UUID] = mapped_column(primary_key=True)
        taken: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
        mood: Mapped[Mood] = mapped_column(primary_key=True)
        price: Mapped[Decimal] = mapped_column(primary_key=True)
        image: Mapped[bytes]
        embedding: Mapped[Vector | None] = image_embedding("image", model="fake")

    Other.metadata.create_all(photo_engine)
    taken = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    with Session(photo_engine) as session:
        session.connection().exec_driver_sql("SET TimeZone = 'America/St_Johns'")
        scans = [
            Scan(number=uuid.uuid4(), taken=taken, mood=mood, price=Decimal("1.50"), image=b"", embedding=[1.0] * 16)
            for mood in Mood
        ]
        session.add_all(scans)
        session.flush()
        assert session.scalars(search(Scan, scans[0]).limit(5)).all() == [scans[1]]
        key = Key(scans[1].number, taken, Mood.wild, Decimal("1.5"))
        assert session.scalars(search(Scan, key).limit(5)).all() == [scans[0]]
        session.rollback()
    Other.metadata.drop_all(photo_engine)


def test_inheritance_and_composite_keys(photo_engine: Engine, photo_vectors: NDArray[np.float32]) -> None:
    class Other(DeclarativeBase):
        pass

    class Asset(Other):
        __tablename__ = "asset"
        shop: Mapped[str] = mapped_column(primary_key=True)
        number: Mapped[int] = mapped_column("No.", primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}

    class Film(Asset):
        __tablename__ = "film"
        shop: Mapped[str] = mapped_column(primary_key=True)
        number: Mapped[int] = mapped_column("No.", primary_key=True)
        poster: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("poster", model="fake", name="of poster")
        __table_args__ = (ForeignKeyConstraint(["shop", "No."], list(Asset.__table__.primary_key)),)
        __mapper_args__ = {"polymorphic_identity": "film"}

    class Poster(Film):
        __mapper_args__ = {"polymorphic_identity": "poster"}

    Other.metadata.create_all(photo_engine)
    with Session(photo_engine) as session:
        for i in range(1, 7):
            mapped = Poster if i % 2 else Film
            session.add(mapped(shop="가게", number=i, poster="x", embedding=photo_vectors[i].tolist()))
        session.commit()
        order = sorted(range(1, 7), key=lambda i: -float(photo_vectors[i] @ photo_vectors[3]))
        found = [film.number for film, _ in session.execute(search(Film, photo_vectors[3]).limit(4))]
        assert found == order[:4]
        assert [type(film) for film, _ in session.execute(search(Film, Key("가게", 3)).limit(2))] == [
            Poster if i % 2 else Film for i in order[1:3]
        ]
        poster = session.get_one(Poster, ("가게", 3))
        assert [film.number for film, _ in session.execute(search(Poster, poster).limit(4))] == [
            i for i in order if i % 2 and i != 3
        ]
        assert [film.number for film, _ in session.execute(search(aliased(Film), poster).limit(9))] == order[1:]
    Other.metadata.drop_all(photo_engine)
