"""Operations as Python code, for the revisions that autogenerate writes."""

from __future__ import annotations

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext

from thanopg.alembic import statement
from thanopg.alembic.embedding_ops import AddEmbeddingOp, DropEmbeddingOp, SetEmbeddingIndexOp
from thanopg.alembic.model_ops import CreateModelOp, DropModelOp
from thanopg.alembic.trigger_ops import ResumeEmbeddingsOp, SuspendEmbeddingsOp

IMPORT = "import thanopg.alembic  # noqa: F401  # op.add_image_embedding and its kin"
"""so that a revision stands on its own, whatever becomes of env.py"""
LONGEST_LINE = 110


@renderers.dispatch_for(AddEmbeddingOp)
def add_embedding(context: AutogenContext, operation: AddEmbeddingOp) -> list[str]:
    embedding = operation.embedding
    return commented(
        operation.comment,
        call(
            context,
            statement.ADD_FUNCTION[embedding.kind],
            operation.table_name,
            embedding.source,
            model=embedding.model,
            column_name=operation.column_name,
            **statement.options(embedding),
            schema=operation.schema,
        ),
    )


@renderers.dispatch_for(DropEmbeddingOp)
def drop_embedding(context: AutogenContext, operation: DropEmbeddingOp) -> list[str]:
    return commented(
        operation.comment,
        call(
            context,
            "drop_embedding",
            operation.table_name,
            operation.column_name,
            keep_column=operation.keep_column or None,
            schema=operation.schema,
        ),
    )


@renderers.dispatch_for(SetEmbeddingIndexOp)
def set_embedding_index(context: AutogenContext, operation: SetEmbeddingIndexOp) -> str:
    return call(
        context,
        "set_embedding_index",
        operation.table_name,
        operation.column_name,
        operation.index,
        existing_index=operation.existing_index,
        schema=operation.schema,
    )


@renderers.dispatch_for(CreateModelOp)
def create_model(context: AutogenContext, operation: CreateModelOp) -> str:
    return call(context, "create_model", operation.name, base=operation.base, source=operation.source)


@renderers.dispatch_for(DropModelOp)
def drop_model(context: AutogenContext, operation: DropModelOp) -> str:
    return call(context, "drop_model", operation.name, base=operation.base, source=operation.source)


@renderers.dispatch_for(SuspendEmbeddingsOp)
def suspend_embeddings(context: AutogenContext, operation: SuspendEmbeddingsOp) -> list[str]:
    return [
        "# the type of a column that embeddings are made from changes: their triggers step aside",
        call(context, "suspend_embeddings", operation.table_name, schema=operation.schema),
    ]


@renderers.dispatch_for(ResumeEmbeddingsOp)
def resume_embeddings(context: AutogenContext, operation: ResumeEmbeddingsOp) -> str:
    return call(context, "resume_embeddings", operation.table_name, schema=operation.schema)


def call(context: AutogenContext, function: str, *arguments: str, **named: str | bool | None) -> str:
    """One line where it fits, else an argument a line; what is None is not said."""
    context.imports.add(IMPORT)
    name = f"{context.opts['alembic_module_prefix']}{function}"
    said = [repr(str(value)) for value in arguments]
    said += [
        f"{key}={str(value) if isinstance(value, bool) else repr(str(value))}"
        for key, value in named.items()
        if value is not None
    ]
    line = f"{name}({', '.join(said)})"
    if len(line) <= LONGEST_LINE:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in said), ")"])


def commented(comment: str, code: str) -> list[str]:
    return [f"# {' '.join(comment.split())}", code] if comment else [code]
