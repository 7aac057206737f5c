"""`op.suspend_embeddings` and `op.resume_embeddings`: around what PostgreSQL refuses while triggers look at a column.

That is a change of the type of an embedding's source or of the table's key. The table stays locked in between, so
nothing is missed; both must be in one transaction, as Alembic's migrations are.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import MigrateOperation, Operations


@Operations.register_operation("suspend_embeddings")
class SuspendEmbeddingsOp(MigrateOperation):
    """The triggers of a table's embedding columns go for a moment."""

    def __init__(self, table_name: str, *, schema: str | None = None) -> None:
        self.table_name = table_name
        self.schema = schema

    def reverse(self) -> ResumeEmbeddingsOp:
        return ResumeEmbeddingsOp(self.table_name, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("suspend_embeddings", self.schema, self.table_name)

    @classmethod
    def suspend_embeddings(cls, operations: Operations, table: str, *, schema: str | None = None) -> None:
        """Lock the table and take its embeddings' triggers away, until `resume_embeddings`."""
        operations.invoke(cls(table, schema=schema))


@Operations.register_operation("resume_embeddings")
class ResumeEmbeddingsOp(MigrateOperation):
    """They come back, and look at the columns as they are now."""

    def __init__(self, table_name: str, *, schema: str | None = None) -> None:
        self.table_name = table_name
        self.schema = schema

    def reverse(self) -> SuspendEmbeddingsOp:
        return SuspendEmbeddingsOp(self.table_name, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("resume_embeddings", self.schema, self.table_name)

    @classmethod
    def resume_embeddings(cls, operations: Operations, table: str, *, schema: str | None = None) -> None:
        """Put the triggers back that `suspend_embeddings` took away."""
        operations.invoke(cls(table, schema=schema))
