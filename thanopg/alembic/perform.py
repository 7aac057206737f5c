"""What runs when a migration says `op.…`: with a connection the statement itself, without one its text."""

from __future__ import annotations

from alembic.operations import Operations
from alembic.util import CommandError

from thanopg.alembic import statement
from thanopg.alembic.embedding_ops import AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp
from thanopg.alembic.model_ops import CreateModelOp, DropModelOp
from thanopg.alembic.registry import is_installed
from thanopg.alembic.trigger_ops import ResumeEmbeddingsOp, SuspendEmbeddingsOp

NOT_INSTALLED = "thanopg is not installed in this database"
INSTALL = "run thanopg install, or op.install_thanopg() in an earlier migration"


@Operations.implementation_for(AddEmbeddingOp)
def add_embedding(operations: Operations, operation: AddEmbeddingOp) -> None:
    select(
        operations,
        statement.add_embedding(operation.table_name, operation.column_name, operation.embedding, operation.schema),
    )


@Operations.implementation_for(DropEmbeddingOp)
def drop_embedding(operations: Operations, operation: DropEmbeddingOp) -> None:
    select(
        operations,
        statement.drop_embedding(operation.table_name, operation.column_name, operation.keep_column, operation.schema),
    )


@Operations.implementation_for(SetEmbeddingIndexOp)
def set_embedding_index(operations: Operations, operation: SetEmbeddingIndexOp) -> None:
    select(
        operations,
        statement.set_index(operation.table_name, operation.column_name, operation.index, operation.schema),
    )


@Operations.implementation_for(CreateModelOp)
def create_model(operations: Operations, operation: CreateModelOp) -> None:
    select(operations, statement.create_model(operation.name, operation.base, operation.source))


@Operations.implementation_for(DropModelOp)
def drop_model(operations: Operations, operation: DropModelOp) -> None:
    select(operations, statement.drop_model(operation.name))


@Operations.implementation_for(SuspendEmbeddingsOp)
def suspend_embeddings(operations: Operations, operation: SuspendEmbeddingsOp) -> None:
    run(operations, statement.lock(operation.table_name, operation.schema))
    select(operations, statement.for_each_embedding("clear_triggers", operation.table_name, operation.schema))


@Operations.implementation_for(ResumeEmbeddingsOp)
def resume_embeddings(operations: Operations, operation: ResumeEmbeddingsOp) -> None:
    select(operations, statement.for_each_embedding("mend_triggers", operation.table_name, operation.schema))


def select(operations: Operations, expression: str) -> None:
    run(operations, f"SELECT {expression}")


def run(operations: Operations, statement: str) -> None:
    """As it stands: a colon or a percent sign in it means nothing here."""
    context = operations.migration_context
    if context.as_sql:
        context.impl.static_output(statement + context.impl.command_terminator)
        return
    assert context.bind is not None
    if not is_installed(context.bind):
        raise CommandError(f"{NOT_INSTALLED}; {INSTALL}")
    context.bind.exec_driver_sql(statement, execution_options={"no_parameters": True})
