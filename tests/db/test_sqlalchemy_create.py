"""`create_all` and `drop_all` make embeddings and take them away, however the class is mapped."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Engine, ForeignKey, Integer, MetaData, Table, Text, UniqueConstraint, create_mock_engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, Session, declared_attr, mapped_column, registry

from tests.databases import Database
from tests.engines import engine_of
from thanopg.errors import InstallError, InvalidArgument, NotSupported
from thanopg.models.fake import FakeEmbedder
from thanopg.sqlalchemy import Vector, caption, caption_attributes, image_embedding, text_embedding

REGISTERED = """
    SELECT target::text, column_name, kind, source_name, model, type, index_policy, language, prompt, attributes_name,
           key_names
    FROM thanopg.embedding_column ORDER BY id
"""
LEFT = """
    SELECT (SELECT count(*) FROM thanopg.embedding), (SELECT count(*) FROM thanopg.pending),
           (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'thanopg%'),
           (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace)
"""


class Base(DeclarativeBase):
    pass


@pytest.fixture
def engine(database: Database, model: FakeEmbedder) -> Any:
    with engine_of(database) as made:
        yield made


def registered(connection: psycopg.Connection) -> list[tuple[str, str, str, str]]:
    """(table, column, source, type) of each."""
    return [(row[0], row[1], row[3], row[5]) for row in connection.execute(REGISTERED)]


def test_the_column_comes_with_its_triggers_and_work(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        image_path: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake", type="halfvec", dimensions=8)

    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)  # and no more when the table is there
    assert connection.execute(REGISTERED).fetchall() == [
        ("photo", "embedding", "image", "image_path", "fake", "halfvec(8)", "now", None, None, None, ["id"])
    ]
    with Session(engine) as session:
        session.add(Photo(id=1, image_path="고양이.jpg"))
        session.commit()
    assert connection.execute("SELECT key FROM thanopg.pending").fetchall() == [([1],)]
    Base.metadata.drop_all(engine)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)
    Base.metadata.create_all(engine)
    Base.metadata.drop_all(engine)


def test_mixin_schema_table_arguments_and_renamed_attributes(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(DeclarativeBase):
        pass

    class HasImage:
        picture: Mapped[str] = mapped_column("image path")
        vector: Mapped[Vector | None] = image_embedding("picture", model="fake", name='the "vector"')

        @declared_attr
        def second(cls) -> Mapped[Vector | None]:
            return image_embedding("image path", model="fake", type="halfvec")  # the column's name does as well

    class Photo(HasImage, Base):
        __tablename__ = "photo"
        __table_args__ = (UniqueConstraint("image path"), {"schema": "Große Bilder"})
        id: Mapped[int] = mapped_column(primary_key=True)

    class Poster(HasImage, Base):
        __tablename__ = "poster"
        shop: Mapped[str] = mapped_column("Shop", primary_key=True)
        number: Mapped[int] = mapped_column(primary_key=True)

    connection.execute('CREATE SCHEMA "Große Bilder"')
    Base.metadata.create_all(engine)
    rows = connection.execute(REGISTERED).fetchall()
    assert {(*row[:2], row[3], row[5], tuple(row[10])) for row in rows} == {
        ('"Große Bilder".photo', 'the "vector"', "image path", "vector(8)", ("id",)),
        ('"Große Bilder".photo', "second", "image path", "halfvec(8)", ("id",)),
        ("poster", 'the "vector"', "image path", "vector(8)", ("Shop", "number")),
        ("poster", "second", "image path", "halfvec(8)", ("Shop", "number")),
    }
    with Session(engine) as session:
        session.add_all([Photo(id=1, picture="a.jpg"), Poster(shop="가게", number=2, picture="b.jpg")])
        session.commit()
        assert session.get_one(Photo, 1).vector is None
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (4,)
    Base.metadata.drop_all(engine)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)


def test_inheritance(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(DeclarativeBase):
        pass

    class Asset(Base):
        __tablename__ = "asset"
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        path: Mapped[str]
        of_asset: Mapped[Vector | None] = image_embedding("path", model="fake")
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "asset"}

    class Dress(Asset):  # in the same table
        of_dress: Mapped[Vector | None] = image_embedding("path", model="fake", type="halfvec")
        __mapper_args__ = {"polymorphic_identity": "dress"}

    class Film(Asset):  # in a table of its own
        __tablename__ = "film"
        id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
        poster: Mapped[str]
        of_film: Mapped[Vector | None] = image_embedding("poster", model="fake")
        __mapper_args__ = {"polymorphic_identity": "film"}

    Base.metadata.create_all(engine)
    assert registered(connection) == [
        ("asset", "of_asset", "path", "vector(8)"),
        ("asset", "of_dress", "path", "halfvec(8)"),
        ("film", "of_film", "poster", "vector(8)"),
    ]
    with Session(engine) as session:
        session.add_all([Dress(id=1, path="a"), Film(id=2, path="b", poster="c")])
        session.commit()
        assert session.get_one(Film, 2).of_film is None
    with pytest.raises(InvalidArgument, match="of_song is made from 'path', which is no column of the table song"):

        class Song(Asset):
            __tablename__ = "song"
            id: Mapped[int] = mapped_column(ForeignKey("asset.id"), primary_key=True)
            of_song: Mapped[Vector | None] = image_embedding("path", model="fake")
            __mapper_args__ = {"polymorphic_identity": "song"}


def test_dataclasses(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(MappedAsDataclass, DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake")
        image_path: Mapped[str]
        words: Mapped[str] = mapped_column(default="")

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Photo(1, "a.jpg", words="고양이"))
        session.commit()
    with Session(engine) as session:
        photo = session.get_one(Photo, 1)
    assert repr(photo).endswith("Photo(id=1, image_path='a.jpg', words='고양이')")  # detached, and nothing was loaded
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (1,)


def test_captions_and_vectors_of_captions(
    engine: Engine, connection: psycopg.Connection, captioner: FakeEmbedder
) -> None:
    class Base(DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        meaning: Mapped[Vector | None] = text_embedding("words", model="fake", index="none")
        words: Mapped[str | None] = caption("image", model="words", language="en", attributes="known", name="Caption")
        known: Mapped[dict[str, Any] | None] = caption_attributes(name="traits")
        image: Mapped[bytes]

    Base.metadata.create_all(engine)
    assert connection.execute(REGISTERED).fetchall() == [
        ("photo", "Caption", "caption", "image", "words", "text", "none", "en", None, "traits", ["id"]),
        ("photo", "meaning", "text", "Caption", "fake", "vector(8)", "none", None, None, None, ["id"]),
    ]
    with Session(engine) as session:
        photo = Photo(id=1, image=b"x")
        session.add(photo)
        session.commit()
        connection.execute("""UPDATE photo SET "Caption" = 'a cat', traits = '{"colour": "black"}'""")
        assert (photo.words, photo.known) == ("a cat", {"colour": "black"})
    Base.metadata.drop_all(engine)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)


def test_a_table_without_a_class(engine: Engine, connection: psycopg.Connection) -> None:
    photo = Table(
        "photo",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("image_path", Text),
        image_embedding("image_path", model="fake", name="embedding").column,
    )

    class Photo:
        pass

    registry().map_imperatively(Photo, photo, properties={"path": photo.c.image_path})
    photo.create(engine)
    assert registered(connection) == [("photo", "embedding", "image_path", "vector(8)")]
    copied = photo.to_metadata(MetaData())
    copied.drop(engine)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)


def test_schema_translation(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        image_path: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake", dimensions=8)

    for tenant in ("Acme", "b"):
        connection.execute(f'CREATE SCHEMA "{tenant}"')
        Base.metadata.create_all(engine.execution_options(schema_translate_map={None: tenant}))
    assert [row[0] for row in registered(connection)] == ['"Acme".photo', "b.photo"]
    Base.metadata.drop_all(engine.execution_options(schema_translate_map={None: "Acme"}))
    assert [row[0] for row in registered(connection)] == ["b.photo"]


def test_what_is_gone_already_is_no_error(engine: Engine, connection: psycopg.Connection) -> None:
    class Base(DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        image_path: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("image_path", model="fake")

    Base.metadata.create_all(engine)
    connection.execute("SELECT drop_embedding('photo', 'embedding')")
    Base.metadata.drop_all(engine)


def declared(**arguments: Any) -> MetaData:
    class Base(DeclarativeBase):
        pass

    class Photo(Base):
        __tablename__ = "photo"
        id: Mapped[int] = mapped_column(primary_key=True)
        image_path: Mapped[str]
        embedding: Mapped[Vector | None] = image_embedding("image_path", **({"model": "fake"} | arguments))

    return Base.metadata


def test_unknown_model(engine: Engine, connection: psycopg.Connection) -> None:
    with pytest.raises(ProgrammingError) as error:
        declared(model="nope").create_all(engine)
    assert "no model named 'nope'" in str(error.value)
    assert error.value.orig.diag.message_hint == "registered: catalog, fake"  # type: ignore[union-attr]
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)  # nor the table


def test_other_dimensions_than_the_model_has(engine: Engine, connection: psycopg.Connection) -> None:
    with pytest.raises(InvalidArgument, match="declared with 512 dimensions, the model fake has 8"):
        declared(dimensions=512).create_all(engine)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)


def test_a_database_without_thanopg(empty_database: Database) -> None:
    with engine_of(empty_database) as engine, pytest.raises(InstallError, match="not installed") as error:
        declared().create_all(engine)
    assert error.value.hint == "thanopg install"
    with engine_of(empty_database) as engine:
        declared().drop_all(engine)


def test_another_kind_of_database() -> None:
    from sqlalchemy import create_engine

    with pytest.raises(NotSupported, match="the embeddings of photo can't be made by sqlite"):
        declared().create_all(create_engine("sqlite://"))


def test_the_sql_can_be_written_down(connection: psycopg.Connection, model: FakeEmbedder) -> None:
    statements: list[str] = []
    mock = create_mock_engine(
        "postgresql+psycopg://", lambda ddl, *_: statements.append(str(ddl.compile(dialect=mock.dialect)))
    )
    metadata = declared(dimensions=8, index="later")
    metadata.create_all(mock, checkfirst=False)
    for statement in statements:
        connection.execute(statement)
    assert registered(connection) == [("photo", "embedding", "image_path", "vector(8)")]
    statements.clear()
    metadata.drop_all(mock, checkfirst=False)
    for statement in statements:
        connection.execute(statement)
    assert connection.execute(LEFT).fetchone() == (0, 0, 0, 0)
