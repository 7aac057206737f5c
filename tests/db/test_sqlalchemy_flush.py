"""What the ORM writes and reads of an embedding column: nothing that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Engine, event, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from tests.databases import Database
from tests.engines import engine_of
from tests.working import picture_uri, vector, work_off
from thanopg.models.fake import FakeEmbedder
from thanopg.sqlalchemy import Vector, image_embedding, search


class Base(DeclarativeBase):
    pass


class Photo(Base):
    __tablename__ = "photo"

    id: Mapped[int] = mapped_column(primary_key=True)
    image: Mapped[str]
    note: Mapped[str | None]
    embedding: Mapped[Vector | None] = image_embedding("image", model="fake")
    eager: Mapped[Vector | None] = image_embedding("image", model="fake", type="halfvec", deferred=False)


@pytest.fixture
def engine(database: Database, model: FakeEmbedder) -> Iterator[Engine]:
    with engine_of(database) as made:
        Base.metadata.create_all(made)
        yield made


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(*given: object) -> None:
        seen.append(str(given[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_nothing_is_written_unless_it_is_set(engine: Engine, connection: psycopg.Connection) -> None:
    with Session(engine) as session, statements(engine) as seen:
        photos = [Photo(id=i, image=picture_uri(i)) for i in range(1, 4)]
        session.add_all(photos)
        session.flush()
        photos[0].note = "고양이"
        session.flush()
        session.execute(insert(Photo), [{"id": 4, "image": picture_uri(4)}])
        session.execute(update(Photo).where(Photo.id == 4).values(note="x"))
        session.commit()
    written = [line.split("RETURNING")[0] for line in seen]
    assert not [line for line in written if "embedding" in line or "eager" in line]
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (8,)
    with Session(engine) as session:
        session.add(Photo(id=5, image="x", embedding=[1.0] * 8))  # one that is known already
        session.commit()
        assert session.get_one(Photo, 5).embedding == [1.0] * 8


def test_the_worker_fills_it(engine: Engine, database: Database) -> None:
    with Session(engine) as session:
        photo = Photo(id=1, image=picture_uri(1))
        session.add(photo)
        session.commit()
        assert photo.embedding is None
        work_off(database.url)
        session.refresh(photo, ["embedding"])
        assert photo.embedding == pytest.approx(vector(1, 8))
        photo.image = picture_uri(2)
        session.commit()
        work_off(database.url)
        assert photo.embedding == pytest.approx(vector(2, 8))
        assert session.scalars(search(Photo, photo.embedding, column="eager")).all() == [photo]


def test_after_an_update_it_is_read_again(engine: Engine, connection: psycopg.Connection) -> None:
    with Session(engine) as session:
        photo = Photo(id=1, image="a", embedding=[1.0] * 8)
        session.add(photo)
        session.flush()
        photo.note = "x"
        session.flush()
        assert "embedding" not in photo.__dict__
        assert photo.embedding == [1.0] * 8


def test_a_vector_is_loaded_when_it_is_asked_for(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Photo(id=1, image="a", embedding=[1.0] * 8, eager=[2.0] * 8))
        session.commit()
        session.expunge_all()
        photo = session.scalars(select(Photo)).one()
        assert "embedding" not in photo.__dict__
        assert photo.__dict__["eager"] == [2.0] * 8
        assert photo.embedding == [1.0] * 8
