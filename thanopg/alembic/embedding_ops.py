"""Operations on embedding columns: `op.add_image_embedding` and its kin. Each knows what undoes it."""

from __future__ import annotations

from typing import Any

from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError

from thanopg.sqlalchemy.declaration import Embedding, IndexPolicy, VectorType


@Operations.register_operation("add_image_embedding")
@Operations.register_operation("add_caption")
@Operations.register_operation("add_text_embedding")
class AddEmbeddingOp(MigrateOperation):
    """A column that follows another one; of all three kinds."""

    def __init__(
        self,
        table_name: str,
        column_name: str,
        embedding: Embedding,
        *,
        schema: str | None = None,
        adopts: bool = False,
        comment: str = "",
    ) -> None:
        """`adopts`: the column is there and outlives the embedding. `comment`: a line above the rendered call."""
        self.table_name = table_name
        self.column_name = column_name
        self.embedding = embedding
        self.schema = schema
        self.adopts = adopts
        self.comment = comment

    def reverse(self) -> DropEmbeddingOp:
        return DropEmbeddingOp(
            self.table_name,
            self.column_name,
            schema=self.schema,
            keep_column=self.adopts,
            embedding=self.embedding,
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("add_embedding", self.schema, self.table_name, self.column_name, self.embedding)

    @classmethod
    def add_image_embedding(
        cls,
        operations: Operations,
        table: str,
        image_column: str,
        model: str,
        column_name: str,
        *,
        type: VectorType = "vector",
        index: IndexPolicy = "auto",
        schema: str | None = None,
    ) -> None:
        """Add a vector column that follows an image column."""
        embedding = Embedding(kind="image", source=image_column, model=model, type=type, index=index)
        operations.invoke(cls(table, column_name, embedding, schema=schema))

    @classmethod
    def add_caption(
        cls,
        operations: Operations,
        table: str,
        image_column: str,
        model: str,
        column_name: str = "caption",
        *,
        language: str | None = None,
        prompt: str | None = None,
        attributes_column: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Add a text column that describes an image column, and a jsonb column of attributes where one is named."""
        embedding = Embedding(
            kind="caption",
            source=image_column,
            model=model,
            type=None,
            index="none",
            language=language,
            prompt=prompt,
            attributes_column=attributes_column,
        )
        operations.invoke(cls(table, column_name, embedding, schema=schema))

    @classmethod
    def add_text_embedding(
        cls,
        operations: Operations,
        table: str,
        text_column: str,
        model: str,
        column_name: str,
        *,
        type: VectorType = "vector",
        index: IndexPolicy = "auto",
        schema: str | None = None,
    ) -> None:
        """Add a vector column that follows a text column."""
        embedding = Embedding(kind="text", source=text_column, model=model, type=type, index=index)
        operations.invoke(cls(table, column_name, embedding, schema=schema))


@Operations.register_operation("drop_embedding")
class DropEmbeddingOp(MigrateOperation):
    """The column goes, whatever its kind; `embedding` is what it was, for the way back."""

    def __init__(
        self,
        table_name: str,
        column_name: str,
        *,
        schema: str | None = None,
        keep_column: bool = False,
        embedding: Embedding | None = None,
        comment: str = "",
        undoing: str = "",
    ) -> None:
        """`comment`: a line above the rendered call. `undoing`: one above the call that undoes it."""
        self.table_name = table_name
        self.column_name = column_name
        self.schema = schema
        self.keep_column = keep_column
        self.embedding = embedding
        self.comment = comment
        self.undoing = undoing

    def reverse(self) -> AddEmbeddingOp:
        if self.embedding is None:
            raise CommandError(
                f"what {self.table_name}.{self.column_name} was is not known, so dropping it can't be undone"
            )
        return AddEmbeddingOp(
            self.table_name,
            self.column_name,
            self.embedding,
            schema=self.schema,
            adopts=self.keep_column,
            comment=self.undoing,
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("drop_embedding", self.schema, self.table_name, self.column_name, self.embedding)

    @classmethod
    def drop_embedding(
        cls,
        operations: Operations,
        table: str,
        column_name: str,
        *,
        keep_column: bool = False,
        schema: str | None = None,
    ) -> None:
        """Take an embedding column or a caption away, with triggers and pending work, or make it an ordinary one."""
        operations.invoke(cls(table, column_name, keep_column=keep_column, schema=schema))


@Operations.register_operation("set_embedding_index")
class SetEmbeddingIndexOp(MigrateOperation):
    """Another index policy for a column that stays: nothing is embedded anew."""

    def __init__(
        self,
        table_name: str,
        column_name: str,
        index: IndexPolicy,
        *,
        existing_index: IndexPolicy,
        schema: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.index = index
        self.existing_index = existing_index
        self.schema = schema

    def reverse(self) -> SetEmbeddingIndexOp:
        return SetEmbeddingIndexOp(
            self.table_name, self.column_name, self.existing_index, existing_index=self.index, schema=self.schema
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return (
            "set_embedding_index", self.schema, self.table_name, self.column_name, self.existing_index, self.index,
        )  # fmt: skip

    @classmethod
    def set_embedding_index(
        cls,
        operations: Operations,
        table: str,
        column_name: str,
        index: IndexPolicy,
        *,
        existing_index: IndexPolicy,
        schema: str | None = None,
    ) -> None:
        """Change when the index of an embedding column is built, or take it away."""
        operations.invoke(cls(table, column_name, index, existing_index=existing_index, schema=schema))
