"""The database's side of the comparison: what its registry says, in the words that models use to declare embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from thanopg.sqlalchemy.declaration import Embedding

SCHEMA = "thanopg"
INSTALLED = text("SELECT to_regclass('thanopg.embedding_column') IS NOT NULL")
COLUMNS = text(
    """
    SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, e.column_name::text, e.kind,
           e.source_name::text, e.key_names::text[], e.model, t.typname::text AS type, e.index_policy, e.language,
           e.prompt, e.attributes_name::text,
           ARRAY(SELECT i.relname::text
                 FROM thanopg.made_indexes(e.target, e.column_name) m
                 JOIN pg_catalog.pg_class i ON i.oid = m) AS indexes
    FROM thanopg.embedding_column e
    JOIN pg_catalog.pg_class c ON c.oid = e.target
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = e.type_id
    ORDER BY e.id
    """
)
MODELS = text("SELECT name FROM thanopg.model")

Place = tuple[str | None, str]
"""schema and table; None is the connection's default schema, as in Alembic"""


@dataclass(frozen=True)
class RegisteredColumn:
    embedding: Embedding
    keys: tuple[str, ...]
    """the table's key, which the triggers look at as well"""
    indexes: tuple[str, ...]
    """that were built for it: the user never declared them"""


@dataclass(frozen=True)
class Registry:
    installed: bool = False
    columns: Mapping[Place, Mapping[str, RegisteredColumn]] = field(default_factory=dict)
    models: frozenset[str] = frozenset()


def read_registry(connection: Connection) -> Registry:
    """Empty where thanopg is not installed. Raises CommandError where it is not as this package knows it."""
    try:
        return _registry(connection) if is_installed(connection) else Registry()
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise CommandError(f"the registry of thanopg can't be read: {reason}; as its owner: thanopg install") from error


def _registry(connection: Connection) -> Registry:
    columns: dict[Place, dict[str, RegisteredColumn]] = {}
    for row in connection.execute(COLUMNS).mappings():
        vectors = row["kind"] != "caption"
        embedding = Embedding(
            kind=row["kind"],
            source=row["source_name"],
            model=row["model"],
            type=row["type"] if vectors else None,
            index=row["index_policy"],
            language=row["language"],
            prompt=row["prompt"],
            attributes_column=row["attributes_name"],
        )
        place = place_of(connection, row["schema_name"], row["table_name"])
        column = RegisteredColumn(embedding, tuple(row["key_names"]), tuple(row["indexes"]))
        columns.setdefault(place, {})[row["column_name"]] = column
    return Registry(True, columns, frozenset(connection.execute(MODELS).scalars()))


def is_installed(connection: Connection) -> bool:
    return bool(connection.execute(INSTALLED).scalar())


def place_of(connection: Connection, schema: str | None, table: str) -> Place:
    return (None if schema == connection.dialect.default_schema_name else schema, table)
