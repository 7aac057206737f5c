"""A tree → the statement in one canonical spelling, which parses to the same tree."""

from __future__ import annotations

from thanopg.thanosql.lexer import quote_value
from thanopg.thanosql.tree import (
    BuildModel,
    Convert,
    Copy,
    DeleteModel,
    GetModel,
    Listed,
    Listing,
    Name,
    Nested,
    Number,
    Option,
    Parameter,
    Print,
    Query,
    Search,
    Sql,
    Statement,
    Text,
    Value,
    Verbatim,
    Word,
)


def render(tree: Statement) -> str:
    match tree:
        case Sql():
            return _sql(tree)
        case Search(sorted=False):
            searched = f"SEARCH IMAGE {tree.by}={_value(tree.inputs)} USING {_name(tree.model)}"
            return f"{searched}{_options(tree.options)} AS {_query(tree.query)}"
        case Search():
            options = (Option("search_by", Text(tree.by)), Option("search_input", tree.inputs), *tree.options)
            return f"SEARCH IMAGE USING {_name(tree.model)}{_options(options)} AS {_query(tree.query)}"
        case Convert():
            return f"CONVERT USING {_name(tree.model)}{_options(tree.options)} AS {_query(tree.query)}"
        case Listing():
            return f"LIST {tree.what}"
        case Print():
            return f"PRINT IMAGE{_options(tree.options)} AS {_query(tree.query)}"
        case Copy():
            return f"COPY {_name(tree.table)}{_options(tree.options)} FROM {_value(tree.source)}"
        case GetModel():
            name = f" AS {_name(tree.name)}" if tree.name else ""
            return f"GET THANOSQL MODEL {_name(tree.base)}{_options(tree.options)}{name}"
        case DeleteModel():
            return f"DELETE MODEL {_name(tree.name)}"
        case BuildModel():
            verb = "FIT" if tree.fit else "BUILD"
            made = f"{verb} MODEL {_name(tree.name)} USING {_name(tree.start)}"
            return f"{made}{_options(tree.options)} AS {_query(tree.query)}"


def _query(query: Query) -> str:
    """The line break ends a comment that the SQL may end with."""
    return f"(\n{render(query)}\n)"


def _sql(tree: Sql) -> str:
    parts: list[str] = []
    for piece in tree.pieces:
        match piece:
            case Verbatim():
                parts.append(piece.text)
            case Parameter():
                parts.append(f"${piece.name}")
            case Nested():
                parts.append(_query(piece.statement))
    return "".join(parts)


def _name(name: Name) -> str:
    return ".".join('"' + part.replace("\\", "\\\\").replace('"', '""') + '"' for part in name.parts)


def _options(options: tuple[Option, ...]) -> str:
    if not options:
        return ""
    return " OPTIONS (" + ", ".join(f"{option.key}={_value(option.value)}" for option in options) + ")"


def _value(value: Value) -> str:
    match value:
        case Text():
            return quote_value(value.value)
        case Number():
            return repr(value.value)
        case Word():
            return value.value
        case Parameter():
            return f"${value.name}"
        case Listed():
            return "[" + ", ".join(map(_value, value.items)) + "]"
