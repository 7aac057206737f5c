"""What Alembic's own comparison need not see, so that it does not log it either: columns and indexes that are ours.

It is a kindness to readers of the log; what is compared does not depend on it (`separate` goes over the result).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from thanopg.alembic.registry import Place, Registry, place_of
from thanopg.sqlalchemy.declaration import INFO_KEY, embeddings_of


class Hiding:
    """Beside the user's `include_name` and `include_object`, from `begin` to `end`."""

    def __init__(self, context: AutogenContext, connection: Connection, registry: Registry) -> None:
        self.columns: dict[Place, set[str]] = {}
        self.indexes: dict[Place, set[str]] = {}
        self.attributes: set[tuple[Place, str]] = set()
        ordinary: dict[Place, set[str]] = {}
        for table in context.sorted_tables:
            place = place_of(connection, table.schema, table.name)
            ordinary[place] = {column.name for column in table.columns if INFO_KEY not in column.info}
            self.attributes |= {
                (place, each.attributes_column) for _, each in embeddings_of(table) if each.attributes_column
            }
        for place, columns in registry.columns.items():
            ours = {name: value for name, value in columns.items() if name not in ordinary.get(place, ())}
            beside = {value.embedding.attributes_column for value in ours.values()}
            self.columns[place] = {*ours, *(name for name in beside if name)}
            self.indexes[place] = {index for value in columns.values() for index in value.indexes}
        self._connection = connection
        self._filters: tuple[tuple[list[Any], Any], ...] = (
            (getattr(context, "_name_filters", []), self._name),
            (getattr(context, "_object_filters", []), self._object),
        )

    def begin(self) -> None:
        for filters, ours in self._filters:
            filters.append(ours)

    def end(self) -> None:
        for filters, ours in self._filters:
            filters.remove(ours)

    def _name(self, name: str | None, kind: str, parents: Mapping[str, Any]) -> bool:
        hidden = {"column": self.columns, "index": self.indexes}.get(kind)
        return hidden is None or name not in hidden.get((parents["schema_name"], parents["table_name"]), ())

    def _object(self, thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        if kind != "column" or reflected:
            return True
        place = place_of(self._connection, thing.table.schema, thing.table.name)
        return INFO_KEY not in thing.info and (place, name) not in self.attributes
