"""What a declaration says is a value on the column, with the names of columns; what it can't mean is refused."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy import (
    Embedding,
    Vector,
    caption,
    caption_attributes,
    embeddings_of,
    image_embedding,
    text_embedding,
)


def declare(**attributes: Any) -> Table:
    class Base(DeclarativeBase):
        pass

    body = {
        "__tablename__": "photo",
        "__annotations__": {"id": Mapped[int], "path": Mapped[str]},
        "id": mapped_column(primary_key=True),
        "path": mapped_column("image_path"),
    }
    return type("Photo", (Base,), body | attributes).__table__  # type: ignore[attr-defined,no-any-return]


def found(table: Table) -> dict[str, Embedding]:
    return {column.name: embedding for column, embedding in embeddings_of(table)}


def test_the_value_has_the_names_of_columns() -> None:
    table = declare(
        vector=image_embedding("path", model="siglip2", type="halfvec", index="later", dimensions=768, name="v"),
        second=image_embedding("image_path", model="clip"),
        words=caption("path", model="blip", language="ko", prompt="a photo of", attributes="known"),
        known=caption_attributes(name="traits"),
        meaning=text_embedding("words", model="e5"),
    )
    assert found(table) == {
        "v": Embedding(kind="image", source="image_path", model="siglip2", type="halfvec", index="later"),
        "second": Embedding(kind="image", source="image_path", model="clip", type="vector", index="auto"),
        "words": Embedding(
            kind="caption",
            source="image_path",
            model="blip",
            type=None,
            index="none",
            language="ko",
            prompt="a photo of",
            attributes_column="traits",
        ),
        "meaning": Embedding(kind="text", source="words", model="e5", type="vector", index="auto"),
    }
    assert str(table.c.v.type) == "HALFVEC(768)"
    assert {column.name for column in table.columns if column.system} == {"v", "second", "words", "traits", "meaning"}
    ddl = str(CreateTable(table).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "image_path" in ddl
    assert not [name for name in (*found(table), "traits") if name in ddl]


def test_an_attribute_goes_before_a_column_of_that_name() -> None:
    table = declare(
        image=mapped_column("old", postgresql.TEXT),
        newer=mapped_column("image", postgresql.TEXT),
        of_attribute=image_embedding("image", model="m"),
    )
    assert found(table)["of_attribute"].source == "old"


def test_what_is_made_from_another_comes_after_it() -> None:
    table = declare(
        third=text_embedding("second", model="m"),
        second=caption("path", model="m"),
        fourth=image_embedding("path", model="m"),
    )
    assert list(found(table)) == ["second", "fourth", "third"]


def test_copies_say_the_same() -> None:
    table = declare(vector=image_embedding("path", model="m"))
    copied = table.to_metadata(MetaData())
    restored = pickle.loads(pickle.dumps(table.metadata)).tables["photo"]
    assert found(table) == found(copied) == found(restored)


def test_a_class_says_it_without_a_mapper_being_configured() -> None:
    class Base(DeclarativeBase):
        pass

    class HasImage:
        path: Mapped[str]
        vector: Mapped[Vector | None] = image_embedding("path", model="m")

    class One(HasImage, Base):
        __tablename__ = "one"
        id: Mapped[int] = mapped_column(primary_key=True)
        path: Mapped[str] = mapped_column("first")

    class Two(HasImage, Base):
        __tablename__ = "two"
        id: Mapped[int] = mapped_column(primary_key=True)
        path: Mapped[str] = mapped_column("second")

    assert [found(each.__table__)["vector"].source for each in (One, Two)] == ["first", "second"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attributes", "said", "hint"),
    [
        (
            lambda: {"vector": image_embedding("image_pth", model="m")},
            "Photo.vector is made from 'image_pth', which is no column of the table photo",
            "its attributes: id, path",
        ),
        (
            lambda: {"words": caption("path", model="m", attributes="path")},
            "Photo.words makes the column image_path itself",
            "declare it as: path = caption_attributes()",
        ),
        (
            lambda: {"vector": image_embedding("path", model="m", type="bit")},
            "type is vector or halfvec, not 'bit'",
            "",
        ),
        (
            lambda: {"vector": text_embedding("path", model="m", index="soon")},
            "index is auto, now, later, binary or none, not 'soon'",
            "",
        ),
    ],
)
def test_errors(attributes: Any, said: str, hint: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        declare(**attributes())
    assert (error.value.message, error.value.hint) == (said, hint)
