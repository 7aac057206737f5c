"""`create_all` makes the embeddings of a table after it, `drop_all` takes them away before it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, String, Table, and_, column, event, func, literal, select
from sqlalchemy import table as lightweight_table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from thanopg.errors import InstallError, InvalidArgument, NotSupported
from thanopg.sqlalchemy.declaration import Embedding, embeddings_of
from thanopg.sqlalchemy.row import TableReference, regclass_literal

FUNCTIONS = {"image": "add_image_embedding", "caption": "add_caption", "text": "add_text_embedding"}
REGISTRY = lightweight_table(
    "embedding_column", column("target"), column("column_name"), column("model"), column("dimensions"), schema="thanopg"
)


class AddEmbedding(ExecutableDDLElement):
    """The call that adds an embedding column to its table."""

    def __init__(self, table: Table, column_name: str, embedding: Embedding) -> None:
        self.table = table
        self.column_name = column_name
        self.embedding = embedding


class DropEmbedding(ExecutableDDLElement):
    """The call that takes an embedding column away; nothing where the database has none of that name."""

    def __init__(self, table: Table, column_name: str) -> None:
        self.table = table
        self.column_name = column_name


@compiles(AddEmbedding)
def _compile_add(element: AddEmbedding, compiler: DDLCompiler, **_: Any) -> str:
    embedding = element.embedding
    source = "text_column" if embedding.kind == "text" else "image_column"
    arguments = {source: embedding.source, "model": embedding.model, "column_name": element.column_name}
    if embedding.kind == "caption":
        given = {
            "language": embedding.language,
            "prompt": embedding.prompt,
            "attributes_column": embedding.attributes_column,
        }
        arguments |= {name: value for name, value in given.items() if value is not None}
    else:
        arguments |= {"type": str(embedding.type), "index": embedding.index}
    named = "".join(f", {name} => {_literal(compiler, value)}" for name, value in arguments.items())
    return f"SELECT thanopg.{FUNCTIONS[embedding.kind]}(target => {_regclass(compiler, element.table)}{named})"


@compiles(DropEmbedding)
def _compile_drop(element: DropEmbedding, compiler: DDLCompiler, **_: Any) -> str:
    drop = select(func.thanopg.drop_embedding(REGISTRY.c.target, REGISTRY.c.column_name))
    return compiler.sql_compiler.process(
        drop.where(_is_registered(element.table, element.column_name)), literal_binds=True
    )


@event.listens_for(Table, "after_create")
def create_embeddings(table: Table, connection: Connection, **_: Any) -> None:
    """Raises NotSupported outside PostgreSQL, InstallError, InvalidArgument where dimensions are not the model's."""
    declared = embeddings_of(table)
    if not declared:
        return
    if connection.dialect.name != "postgresql":
        raise NotSupported(
            f"the embeddings of {table.name} can't be made by {connection.dialect.name}",
            hint="create the tables in a PostgreSQL database that thanopg is installed in",
        )
    if not _has_thanopg(connection):
        raise InstallError("thanopg is not installed in this database", hint="thanopg install")
    for made, embedding in declared:
        connection.execute(AddEmbedding(table, made.name, embedding))
        _check_dimensions(table, made, connection)


@event.listens_for(Table, "before_drop")
def drop_embeddings(table: Table, connection: Connection, **_: Any) -> None:
    declared = embeddings_of(table)
    if declared and connection.dialect.name == "postgresql" and _has_thanopg(connection):
        for made, _embedding in reversed(declared):
            connection.execute(DropEmbedding(table, made.name))


def _has_thanopg(connection: Connection) -> bool:
    """Taken for granted where the SQL is only written down."""
    if not isinstance(connection, Connection):
        return True
    return bool(connection.scalar(select(func.to_regnamespace("thanopg").is_not(None))))


def _check_dimensions(table: Table, made: Column[Any], connection: Connection) -> None:
    declared = getattr(made.type, "dim", None)
    if declared is None or not isinstance(connection, Connection):  # a mock connection only writes the SQL down
        return
    asked = select(REGISTRY.c.model, REGISTRY.c.dimensions).where(_is_registered(table, made.name))
    model, real = connection.execute(asked).one()
    if real != declared:
        raise InvalidArgument(
            f"{table.name}.{made.name} is declared with {declared} dimensions, the model {model} has {real}",
            hint=f"write dimensions={real}, or leave it out",
        )


def _is_registered(table: Table, column_name: str) -> ColumnElement[bool]:
    return and_(REGISTRY.c.target == TableReference(table), REGISTRY.c.column_name == literal(column_name, String()))


def _regclass(compiler: DDLCompiler, table: Table) -> str:
    return regclass_literal(compiler.preparer.format_table(table))


def _literal(compiler: DDLCompiler, value: str) -> str:
    return compiler.sql_compiler.render_literal_value(value, String())
