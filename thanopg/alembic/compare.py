"""Autogenerate: the embeddings that models declare against those that the database's registry knows.

Alembic compares the tables, and `note_table` hears of each pair; when it is done, `compare_embeddings` goes over what
it found. So whatever the user's filters leave out is left out here as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, ops
from alembic.util import DispatchPriority, PriorityDispatchResult, warn
from sqlalchemy import Connection, Table, text

from thanopg.alembic.embedding_ops import AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp
from thanopg.alembic.hiding import Hiding
from thanopg.alembic.perform import INSTALL, NOT_INSTALLED
from thanopg.alembic.registry import SCHEMA, Registry, place_of, read_registry
from thanopg.alembic.separate import Managed, separate
from thanopg.alembic.table_plan import ComparedTable, TablePlan
from thanopg.alembic.trigger_ops import ResumeEmbeddingsOp, SuspendEmbeddingsOp

MEMO = "thanopg"
"""where Alembic lets a comparison remember things"""
SEARCH_PATH = text("SELECT current_setting('search_path')")
SET_SEARCH_PATH = text("SELECT set_config('search_path', :path, :local)")
FOUND: dict[type[MigrateOperation], str] = {
    AddEmbeddingOp: "added embedding",
    DropEmbeddingOp: "removed embedding",
    SetEmbeddingIndexOp: "changed index of embedding",
}
log = logging.getLogger("alembic.thanopg")


class Memory(NamedTuple):
    search_path: str
    registry: Registry
    hiding: Hiding
    tables: list[ComparedTable]


@comparators.dispatch_for("schema", priority=DispatchPriority.FIRST, qualifier="postgresql")
def begin(context: AutogenContext, upgrade: ops.UpgradeOps, schemas: set[str | None]) -> PriorityDispatchResult:
    """Our own tables are not even read, although they are on the search_path."""
    connection = context.connection
    assert connection is not None
    path, registry = connection.execute(SEARCH_PATH).scalar_one(), read_registry(connection)
    memory = Memory(path, registry, Hiding(context, connection, registry), [])
    context.migration_context.impl.memo[MEMO] = memory
    memory.hiding.begin()
    set_search_path(connection, without_thanopg(path))
    schemas.discard(SCHEMA)
    return PriorityDispatchResult.CONTINUE


@comparators.dispatch_for("table", priority=DispatchPriority.LAST, qualifier="postgresql")
def note_table(
    context: AutogenContext,
    modify: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    present: Table | None,
    declared: Table | None,
) -> PriorityDispatchResult:
    memory: Memory = context.migration_context.impl.memo[MEMO]
    memory.tables.append(ComparedTable(schema, str(name), present, declared))
    return PriorityDispatchResult.CONTINUE


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST, qualifier="postgresql")
def compare_embeddings(
    context: AutogenContext, upgrade: ops.UpgradeOps, schemas: set[str | None]
) -> PriorityDispatchResult:
    """Drops come before everything, additions after it: what they are made from is there in between."""
    assert context.connection is not None
    connection = context.connection
    memory: Memory = context.migration_context.impl.memo[MEMO]
    registry = memory.registry
    memory.hiding.end()
    set_search_path(connection, memory.search_path)
    plans = {
        (table.schema, table.name): TablePlan(context, table, registry.columns.get((table.schema, table.name), {}))
        for table in memory.tables
    }

    def plan_of(schema: str | None, table: str) -> TablePlan | None:
        return plans.get(place_of(connection, schema, table))

    def managed_of(schema: str | None, table: str) -> Managed:
        plan = plan_of(schema, table)
        return plan.managed if plan else Managed()

    found = separate(upgrade.ops, managed_of)
    remade = [pair for plan in plans.values() for pair in plan.remade(found.after)]
    upgrade.ops[:] = [
        *(operation for plan in plans.values() for operation in plan.comments_before()),
        *(dropping for dropping, _ in remade),
        *found.before,
        *(operation for plan in plans.values() for operation in plan.drops()),
        *with_triggers_aside(found.tables, plan_of),
        *(operation for plan in plans.values() for operation in plan.index_changes()),
        *(operation for plan in plans.values() for operation in plan.adds()),
        *found.after,
        *(creating for _, creating in reversed(remade)),
        *(operation for plan in plans.values() for operation in plan.comments_after()),
    ]
    for plan in plans.values():
        plan.warn()
    say(registry, upgrade.ops)
    return PriorityDispatchResult.CONTINUE


def set_search_path(connection: Connection, path: str) -> None:
    """Until the end of the transaction, where there is one."""
    for local in (True, False):
        connection.execute(SET_SEARCH_PATH, {"path": path, "local": local})
        if connection.execute(SEARCH_PATH).scalar_one() == path:
            return


def without_thanopg(search_path: str) -> str:
    return ", ".join(part for part in map(str.strip, search_path.split(",")) if part.strip('"') != SCHEMA) or '""'


def with_triggers_aside(
    operations: Iterable[MigrateOperation], plan_of: Callable[[str | None, str], TablePlan | None]
) -> Iterator[MigrateOperation]:
    """PostgreSQL changes the type of no column that a trigger looks at."""
    for operation in operations:
        plan = plan_of(operation.schema, operation.table_name) if isinstance(operation, ops.ModifyTableOps) else None
        if plan is None or not changes_type(operation, plan.watched):
            yield operation
        else:
            yield SuspendEmbeddingsOp(plan.table.name, schema=plan.schema)
            yield operation
            yield ResumeEmbeddingsOp(plan.table.name, schema=plan.schema)


def changes_type(operation: MigrateOperation, columns: set[str]) -> bool:
    return isinstance(operation, ops.ModifyTableOps) and any(
        isinstance(part, ops.AlterColumnOp) and part.modify_type is not None and part.column_name in columns
        for part in operation.ops
    )


def say(registry: Registry, operations: Iterable[MigrateOperation]) -> None:
    """As Alembic tells what it found; and what the migration will need that is not there yet."""
    added = [operation for operation in operations if isinstance(operation, AddEmbeddingOp)]
    for operation in operations:
        if isinstance(operation, AddEmbeddingOp | DropEmbeddingOp | SetEmbeddingIndexOp):
            log.info("Detected %s '%s.%s'", FOUND[type(operation)], operation.table_name, operation.column_name)
    if added and not registry.installed:
        warn(f"{NOT_INSTALLED}; before this migration {INSTALL}")
    for model in sorted({operation.embedding.model for operation in added} - registry.models):
        if registry.installed:
            warn(
                f"no model {model!r} is registered in this database: thanopg model add, "
                f"or op.create_model({model!r}, base=…) before its first embedding"
            )
