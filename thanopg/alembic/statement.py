"""What each operation says to the database: one plain SELECT, the same with a connection and in a script (`--sql`)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.dialects import postgresql

from thanopg.sqlalchemy.declaration import Embedding

ADD_FUNCTION = {"image": "add_image_embedding", "caption": "add_caption", "text": "add_text_embedding"}
DEFAULTS: Mapping[str, str] = {"type": "vector", "index": "auto"}
"""what the functions assume, and what is therefore not said"""
ESCAPES = {"\\": "\\\\", "'": "''", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
_PREPARER = postgresql.dialect(paramstyle="named").identifier_preparer  # type: ignore[no-untyped-call]


def add_embedding(table: str, column_name: str, embedding: Embedding, schema: str | None) -> str:
    named = {"column_name": column_name, **options(embedding)}
    return call(
        ADD_FUNCTION[embedding.kind],
        regclass(table, schema),
        literal(embedding.source),
        literal(embedding.model),
        **named,
    )


def drop_embedding(table: str, column_name: str, keep_column: bool, schema: str | None) -> str:
    kept = ["keep_column => true"] if keep_column else []
    return call("drop_embedding", regclass(table, schema), literal(column_name), *kept)


def set_index(table: str, column_name: str, index: str, schema: str | None) -> str:
    return call("set_index", regclass(table, schema), literal(column_name), literal(index))


def create_model(name: str, base: str | None, source: str | None) -> str:
    return call("create_model", literal(name), **given(base=base, source=source))


def drop_model(name: str) -> str:
    return call("drop_model", literal(name))


def options(embedding: Embedding) -> dict[str, str]:
    """What is said beside source, model and column: what differs from the functions' defaults."""
    if embedding.kind == "caption":
        return given(
            language=embedding.language, prompt=embedding.prompt, attributes_column=embedding.attributes_column
        )
    said = given(type=embedding.type, index=embedding.index)
    return {name: value for name, value in said.items() if value != DEFAULTS[name]}


def given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def call(function: str, *arguments: str, **named: str) -> str:
    """SQL text; `arguments` are SQL already, named ones are values."""
    said = [*arguments, *(f"{name} => {literal(value)}" for name, value in named.items())]
    return f"thanopg.{function}({', '.join(said)})"


def literal(value: str) -> str:
    """Right whatever `standard_conforming_strings` is, and on one line, where Alembic's scripts keep it as it is."""
    text = "".join(ESCAPES.get(sign, sign) for sign in value)
    return f"E'{text}'" if "\\" in text else f"'{text}'"


def regclass(table: str, schema: str | None) -> str:
    return f"{literal(qualified(table, schema))}::regclass"


def qualified(table: str, schema: str | None) -> str:
    """As SQL names a table, quoted where it must be."""
    return ".".join(_PREPARER.quote(name) for name in (schema, table) if name is not None)


def for_each_embedding(function: str, table: str, schema: str | None) -> str:
    """An internal function, once for every embedding column of a table."""
    where = f"WHERE c.target = {regclass(table, schema)} ORDER BY c.id"
    return f"thanopg.{function}(c.id) FROM thanopg.embedding_column c {where}"


def lock(table: str, schema: str | None) -> str:
    return f"LOCK TABLE {qualified(table, schema)} IN ACCESS EXCLUSIVE MODE"
