"""When a class is mapped, the names that its embeddings were declared with become names of columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Column, event
from sqlalchemy.orm import Mapper

from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy.declaration import INFO_KEY, UNRESOLVED_KEY, Embedding


@event.listens_for(Mapper, "after_mapper_constructed")
def resolve_names(mapper: Mapper[Any], class_: type[Any]) -> None:
    """Raises InvalidArgument where there is no such attribute or column."""
    for attribute, column in mapper.columns.items():
        if column.info.pop(UNRESOLVED_KEY, False):
            column.info[INFO_KEY] = _resolved(column.info[INFO_KEY], mapper, f"{class_.__name__}.{attribute}", column)


def _resolved(embedding: Embedding, mapper: Mapper[Any], place: str, column: Column[Any]) -> Embedding:
    source = _column_named(embedding.source, mapper, column)
    if source is None:
        names = [name for name, each in mapper.columns.items() if each.table is column.table and each is not column]
        raise InvalidArgument(
            f"{place} is made from {embedding.source!r}, which is no column of the table {column.table.name}",
            hint=f"its attributes: {', '.join(names)}",
        )
    attributes_column = embedding.attributes_column
    if attributes_column is not None:
        beside = _column_named(attributes_column, mapper, column)
        if beside is not None and not beside.system:
            raise InvalidArgument(
                f"{place} makes the column {beside.name} itself",
                hint=f"declare it as: {attributes_column} = caption_attributes()",
            )
        attributes_column = attributes_column if beside is None else beside.name
    return replace(embedding, source=source.name, attributes_column=attributes_column)


def _column_named(name: str, mapper: Mapper[Any], beside: Column[Any]) -> Column[Any] | None:
    """The attribute's column, or else the column of that name, in the same table."""
    candidates = [mapper.columns.get(name), *(each for each in beside.table.columns if each.name == name)]
    return next((each for each in candidates if each is not None and each.table is beside.table), None)
