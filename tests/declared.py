"""Tables as an application's metadata has them, with embeddings declared on their columns."""

from __future__ import annotations

from typing import Any

from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy import Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from thanopg.sqlalchemy.declaration import INFO_KEY, Embedding


def image(
    name: str, model: str, *, source: str = "image_path", type: Any = "vector", index: Any = "auto"
) -> Column[Any]:
    return _vector(name, Embedding(kind="image", source=source, model=model, type=type, index=index))


def text(name: str, model: str, *, source: str = "caption", type: Any = "vector", index: Any = "auto") -> Column[Any]:
    return _vector(name, Embedding(kind="text", source=source, model=model, type=type, index=index))


def caption(name: str, model: str, *, attributes: str | None = None, **more: Any) -> list[Column[Any]]:
    """With the column of its attributes, if one is named."""
    embedding = Embedding(kind="caption", source="image_path", model=model, attributes_column=attributes, **more)
    beside = [Column(attributes, JSONB)] if attributes else []
    return [Column(name, Text, info={INFO_KEY: embedding}), *beside]


def photo(*more: Any, name: str = "photo", schema: str | None = None) -> MetaData:
    """Table photo: id, image_path, and what is given."""
    metadata = MetaData()
    Table(name, metadata, Column("id", Integer, primary_key=True), Column("image_path", Text), *more, schema=schema)
    return metadata


def _vector(name: str, embedding: Embedding) -> Column[Any]:
    kind: Any = HALFVEC if embedding.type == "halfvec" else VECTOR
    return Column(name, kind(), info={INFO_KEY: embedding})
