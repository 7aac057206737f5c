"""One table's embeddings, declared and present, and the operations that bring them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from alembic.util import warn
from sqlalchemy import Column, Constraint, Index, Table

from thanopg.alembic.difference import Difference, difference, reason
from thanopg.alembic.embedding_ops import AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp
from thanopg.alembic.registry import RegisteredColumn
from thanopg.alembic.separate import DEPENDENT, Managed, mentions
from thanopg.sqlalchemy.declaration import Embedding, embeddings_of

LET_GO = "the models have an ordinary column here: it stays, and nothing follows its source any more"


class ComparedTable(NamedTuple):
    """As Alembic hands it over: `schema` None is the connection's default; one of the tables may be missing."""

    schema: str | None
    name: str
    present: Table | None
    declared: Table | None


class TablePlan:
    def __init__(
        self, context: AutogenContext, table: ComparedTable, registered: Mapping[str, RegisteredColumn]
    ) -> None:
        self.table = table
        self.schema = table.schema if table.declared is None else table.declared.schema
        everything = dict(_declared(table.declared))
        left_out = {name for name in {*everything, *registered} if not _is_included(context, table, name)}
        self.declared = {name: value for name, value in everything.items() if name not in left_out}
        known = {name: value for name, value in registered.items() if name not in left_out}
        self.let_go = {
            name: value.embedding for name, value in known.items() if name not in everything and self._has(name)
        }
        """registered, and an ordinary column in the models"""
        self.registered = {name: value for name, value in known.items() if name not in self.let_go}
        self.indexes = {index for value in registered.values() for index in value.indexes}

    @cached_property
    def difference(self) -> Difference:
        return difference(self.declared, {name: value.embedding for name, value in self.registered.items()})

    @cached_property
    def managed(self) -> Managed:
        embeddings = [*self.declared.items(), *((name, value.embedding) for name, value in self.registered.items())]
        columns = {name for name, _ in embeddings} | {e.attributes_column for _, e in embeddings if e.attributes_column}
        return Managed(columns, self.indexes)

    @cached_property
    def watched(self) -> set[str]:
        """Columns that the triggers of the embeddings that stay look at."""
        staying = [value for name, value in self.registered.items() if name not in self.difference.dropped]
        return {name for value in staying for name in (value.embedding.source, *value.keys)}

    def drops(self) -> Iterator[MigrateOperation]:
        for name, embedding in self.let_go.items():
            yield DropEmbeddingOp(
                self.table.name, name, schema=self.schema, keep_column=True, embedding=embedding, comment=LET_GO
            )
        for name in self.difference.dropped:
            embedding = self.registered[name].embedding
            undoing = reason(name, self.declared[name], embedding) if name in self.difference.replaced else ""
            yield DropEmbeddingOp(self.table.name, name, schema=self.schema, embedding=embedding, undoing=undoing)

    def adds(self) -> Iterator[MigrateOperation]:
        for name in self.difference.added:
            embedding = self.declared[name]
            replaced = name in self.difference.replaced
            yield AddEmbeddingOp(
                self.table.name,
                name,
                embedding,
                schema=self.schema,
                adopts=not replaced and self._is_present(name),
                comment=reason(name, self.registered[name].embedding, embedding) if replaced else "",
            )

    def index_changes(self) -> Iterator[MigrateOperation]:
        for name in self.difference.index:
            yield SetEmbeddingIndexOp(
                self.table.name,
                name,
                self.declared[name].index,
                existing_index=self.registered[name].embedding.index,
                schema=self.schema,
            )

    def remade(self, already: Iterable[MigrateOperation]) -> Iterator[tuple[MigrateOperation, MigrateOperation]]:
        """What the user has on a column that is dropped and added goes with it, and comes back: how, in pairs."""
        if self.table.declared is None or self.table.present is None:
            return
        coming = {str(getattr(each, "index_name", getattr(each, "constraint_name", None))) for each in already}
        there = set(_on_columns(self.table.present)) - coming
        for name, thing in sorted(_on_columns(self.table.declared).items()):
            if name not in there or not mentions(thing, self.difference.replaced):
                continue
            if isinstance(thing, Index):
                yield ops.DropIndexOp.from_index(thing), ops.CreateIndexOp.from_index(thing)
            else:
                yield ops.DropConstraintOp.from_constraint(thing), ops.AddConstraintOp.from_constraint(thing)

    def comments_before(self) -> Iterator[MigrateOperation]:
        """So that a downgrade, which goes the other way, brings them back."""
        for name in self.difference.dropped:
            if comment := _comment(self.table.present, name):
                yield self._commenting(name, None, comment)

    def comments_after(self) -> Iterator[MigrateOperation]:
        for name in self.declared:
            gone = name in self.difference.dropped
            before, after = None if gone else _comment(self.table.present, name), _comment(self.table.declared, name)
            if before != after:
                yield self._commenting(name, after, before)

    def warn(self) -> None:
        for name in self.declared:
            assert self.table.declared is not None
            column, label = self.table.declared.c[name], f"{self.table.name}.{name}"
            if not column.nullable:
                warn(f"{label} can't be NOT NULL: it is NULL until a worker has been there")
            here, there = _dimensions(self.table.declared, name), _dimensions(self.table.present, name)
            if here and there and here != there and name not in self.difference.dropped:
                warn(f"{label}: the models say {here} dimensions, its model has {there}")

    def _commenting(self, name: str, comment: str | None, existing: str | None) -> ops.AlterColumnOp:
        return ops.AlterColumnOp(
            self.table.name, name, schema=self.schema, modify_comment=comment, existing_comment=existing
        )

    def _has(self, name: str) -> bool:
        return self.table.declared is not None and name in self.table.declared.c

    def _is_present(self, name: str) -> bool:
        return self.table.present is not None and name in self.table.present.c


def _declared(table: Table | None) -> Iterator[tuple[str, Embedding]]:
    if table is not None:
        yield from ((column.name, embedding) for column, embedding in embeddings_of(table))


def _is_included(context: AutogenContext, table: ComparedTable, name: str) -> bool:
    """By the user's `include_name` and `include_object`, asked as Alembic asks them of any column."""
    declared, present = _column(table.declared, name), _column(table.present, name)
    if present is not None and not context.run_name_filters(
        name, "column", {"schema_name": table.schema, "table_name": table.name}
    ):
        return False
    if declared is not None:
        return context.run_object_filters(declared, name, "column", False, present)
    return present is None or context.run_object_filters(present, name, "column", True, None)


def _on_columns(table: Table) -> dict[str, Index | Constraint]:
    constraints = {str(each.name): each for each in table.constraints if isinstance(each, DEPENDENT)}
    return {**constraints, **{str(index.name): index for index in table.indexes}}


def _column(table: Table | None, name: str) -> Column[object] | None:
    return None if table is None else table.c.get(name)


def _comment(table: Table | None, name: str) -> str | None:
    column = _column(table, name)
    return None if column is None else column.comment


def _dimensions(table: Table | None, name: str) -> int | None:
    column = _column(table, name)
    return None if column is None else getattr(column.type, "dim", None)
