"""Another row to search by: its vector is read where it is, by the row's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Table, cast, func, inspect, literal, literal_column
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstanceState
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType

from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy.declaration import embeddings_of


class Key:
    """The primary key of a row of the searched table, `Key(7)`, in the order of its columns: `Key("shop", 7)`."""

    def __init__(self, *values: Any) -> None:
        self.values = values

    def __repr__(self) -> str:
        return f"Key({', '.join(map(repr, self.values))})"


class TableReference(ColumnElement[Any]):
    """`'schema.table'::regclass`, the schema being the one that the statement's schema_translate_map says."""

    inherit_cache = True
    _traverse_internals = [("_table", InternalTraversal.dp_plain_obj)]  # noqa: RUF012  (as SQLAlchemy has it)
    type = NullType()

    def __init__(self, table: Table) -> None:
        self._table = (table,)  # not the table itself: whoever adapts statements to aliases would exchange it

    @property
    def table(self) -> Table:
        return self._table[0]


@compiles(TableReference)
def _compile_reference(element: TableReference, compiler: SQLCompiler, **_: Any) -> str:
    return regclass_literal(compiler.preparer.format_table(element.table))


def regclass_literal(name: str) -> str:
    """`name`: as it is written in a statement."""
    return f"{_quoted(name)}::regclass"


def is_entity(value: object) -> bool:
    try:
        return isinstance(inspect(value), InstanceState)
    except NoInspectionAvailable:
        return False


def vector_of_row(row: Any, searched: ColumnElement[Any]) -> ColumnElement[Any]:
    """The row's stored vector as text; an error of ours when there is no such row, or no vector yet."""
    column, key = (searched_column(searched), row.values) if isinstance(row, Key) else _place(row, searched)
    table = column.table
    names = [each.name for each in table.primary_key]
    if len(key) != len(names):
        raise InvalidArgument(f"the key of {table.name} is ({', '.join(names)}), not {Key(*key)!r}")
    registered = func.thanopg.find_embedding_column(
        literal_column("NULL"), TableReference(table), literal_column(_quoted(column.name))
    )
    pairs: list[ColumnElement[Any]] = []
    for each, value in zip(table.primary_key, key, strict=True):
        pairs += [literal_column(_quoted(each.name)), cast(literal(value, each.type), each.type)]
    return func.thanopg.row_vector(registered, func.jsonb_build_object(*pairs))


def identity_of(instance: Any, table: Table) -> Sequence[Any]:
    """The instance's values of the table's primary key, without asking the database. Raises InvalidArgument."""
    state = inspect(instance)
    if state.identity is None:
        raise InvalidArgument(
            f"this {type(instance).__name__} is not in the database yet",
            hint="flush the session, or search by its picture",
        )
    mapper = state.mapper
    values = {
        mapper.get_property_by_column(column).key: value
        for column, value in zip(mapper.primary_key, state.identity, strict=True)
    }
    return [values[mapper.get_property_by_column(column).key] for column in table.primary_key]


def searched_column(searched: ColumnElement[Any]) -> Column[Any]:
    """The table's own column that an expression (of an alias, say) stands for. Raises InvalidArgument."""
    for column in searched.base_columns:
        if isinstance(column, Column) and isinstance(column.table, Table):
            return column
    raise InvalidArgument("a row can only be searched by with an embedding column of a table")


def key_columns(searched: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """What names a row of the searched table, in the terms of the statement: of its alias, where it has one."""
    table = searched_column(searched).table
    within = getattr(searched, "table", table)
    return [column for each in table.primary_key if (column := within.corresponding_column(each)) is not None]


def _place(instance: Any, searched: ColumnElement[Any]) -> tuple[Column[Any], Sequence[Any]]:
    """The column whose vector is meant, and the key: the searched column, or the one of the same model elsewhere."""
    mapper = inspect(instance).mapper
    own = searched_column(searched)
    if own.table in mapper.tables:
        column = own.table.c[own.key]
    else:
        model = getattr(searched.type, "model", None)
        found = [
            column
            for table in mapper.tables
            if isinstance(table, Table)
            for column, embedding in embeddings_of(table)
            if embedding.model == model and embedding.kind != "caption"
        ]
        if len(found) != 1:
            raise InvalidArgument(
                f"{type(instance).__name__} has {len(found) or 'no'} embedding columns of the model {model!r}",
                hint="search by one vector of it: select(…).scalar_subquery()",
            )
        column = found[0]
    return column, identity_of(instance, column.table)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
