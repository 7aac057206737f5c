"""Alembic's own operations, freed from what belongs to embeddings: their columns, their indexes, our tables.

What the user put on an embedding column, an index of their own for example, can only go before it and come after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from alembic.operations import MigrateOperation, ops
from sqlalchemy import CheckConstraint, Column, Constraint, Index, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, SchemaItem

from thanopg.alembic.registry import SCHEMA

WORD = re.compile(r'"(?:[^"]|"")+"|\w+')
DEPENDENT = (UniqueConstraint, CheckConstraint)
"""constraints that may be on an embedding column; a key or a reference to it would be refused anyway"""


@dataclass
class Managed:
    """What of a table is ours to compare."""

    columns: set[str] = field(default_factory=set)
    indexes: set[str] = field(default_factory=set)


@dataclass
class Separated:
    before: list[MigrateOperation] = field(default_factory=list)
    tables: list[MigrateOperation] = field(default_factory=list)
    after: list[MigrateOperation] = field(default_factory=list)


def separate(operations: Iterable[MigrateOperation], managed_of: Callable[[str | None, str], Managed]) -> Separated:
    result = Separated()
    for operation in operations:
        if getattr(operation, "schema", None) == SCHEMA:
            continue
        if isinstance(operation, ops.CreateTableOp):
            managed = managed_of(operation.schema, operation.table_name)
            result.after += [ops.AddConstraintOp.from_constraint(c) for c in without(operation, managed)]
        elif isinstance(operation, ops.DropTableOp):
            recreation = operation._reverse
            if recreation is not None:
                managed = managed_of(operation.schema, operation.table_name)
                result.before += [ops.DropConstraintOp.from_constraint(c) for c in without(recreation, managed)]
        elif isinstance(operation, ops.ModifyTableOps):
            _modify(operation, managed_of(operation.schema, operation.table_name), result)
            if operation.is_empty():
                continue
        result.tables.append(operation)
    return result


def _modify(operation: ops.ModifyTableOps, managed: Managed, result: Separated) -> None:
    kept: list[MigrateOperation] = []
    for part in operation.ops:
        if isinstance(part, ops.AddColumnOp) and part.column.name in managed.columns:
            continue
        if isinstance(part, ops.DropColumnOp | ops.AlterColumnOp) and part.column_name in managed.columns:
            continue
        if isinstance(part, ops.DropIndexOp) and part.index_name in managed.indexes:
            continue
        if isinstance(part, ops.DropIndexOp | ops.DropConstraintOp) and _concerns(part, managed.columns):
            result.before.append(part)
        elif isinstance(part, ops.CreateIndexOp | ops.AddConstraintOp) and _concerns(part, managed.columns):
            result.after.append(part)
        else:
            kept.append(part)
    operation.ops = kept


def without(operation: ops.CreateTableOp, managed: Managed) -> list[Constraint]:
    """Takes the embedding columns out of a table that is created; returns the constraints that must wait for them."""
    kept: list[SchemaItem] = []
    waiting: list[Constraint] = []
    for item in operation.columns:
        if isinstance(item, DEPENDENT) and mentions(item, managed.columns):
            waiting.append(item)
        elif not (isinstance(item, Column) and item.name in managed.columns):
            kept.append(item)
    operation.columns = kept
    return waiting


def _concerns(operation: MigrateOperation, columns: Iterable[str]) -> bool:
    if isinstance(operation, ops.CreateIndexOp | ops.DropIndexOp):
        return mentions(operation.to_index(), columns)
    if isinstance(operation, ops.CreateUniqueConstraintOp | ops.CreateCheckConstraintOp | ops.DropConstraintOp):
        constraint = operation.to_constraint()
        return isinstance(constraint, DEPENDENT) and mentions(constraint, columns)
    return False


def mentions(thing: Index | Constraint, columns: Iterable[str]) -> bool:
    """Is one of these columns in it, in an expression or a condition perhaps?"""
    statement = CreateIndex(thing) if isinstance(thing, Index) else AddConstraint(thing)
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    words = WORD.findall(str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})))
    return not {word.strip('"').replace('""', '"') for word in words}.isdisjoint(columns)
