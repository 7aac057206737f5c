"""The grammar of SELECT: one call of one function with literals or parameters, or a constant. Pure."""

from __future__ import annotations

from typing import Final

from thanopg.errors import NoCatalog, NotSupported, SyntaxNotUnderstood
from thanopg.service.lexer import END, Token
from thanopg.service.statement import (
    ACCEPTED_HINT,
    BYTEA,
    CASTS,
    FUNCTIONS,
    INT4,
    MAX_PARAMETERS,
    SERVER_VERSION,
    TEXT,
    VOID,
    Argument,
    Call,
    Fixed,
    Parameter,
    Signature,
    Statement,
)

_ANSWERED: Final[dict[str, Fixed]] = {
    "version": Fixed("version", f"PostgreSQL {SERVER_VERSION}"),
    "current_schema": Fixed("current_schema", "thanopg"),
    "current_database": Fixed("current_database", "thanopg"),
    "pg_advisory_unlock_all": Fixed("pg_advisory_unlock_all", "", VOID),
}


class _Reader:
    """Walks over the tokens of one statement."""

    def __init__(self, parts: list[Token]) -> None:
        self.parts = parts
        self.position = 0

    @property
    def here(self) -> Token:
        return self.parts[self.position] if self.position < len(self.parts) else END

    def take(self) -> Token:
        token = self.here
        self.position += 1
        return token

    def accept(self, kind: str, value: str) -> bool:
        if self.here == (kind, value):
            self.position += 1
            return True
        return False


def parse_select(parts: list[Token], words: list[str]) -> Statement:
    if any(word.startswith(("pg_type", "pg_class", "pg_namespace", "information_schema")) for word in words):
        raise NoCatalog(hint=ACCEPTED_HINT)  # drivers that look up types read this SQLSTATE as "there is none"
    reader = _Reader(parts[1:])
    if reader.here.kind == "number":
        number = reader.take().text
        if int(number) > 2**31 - 1:
            raise NotSupported("a constant must fit an int4", hint=ACCEPTED_HINT)
        return Fixed(_alias(reader, "?column?"), number, INT4)
    name = reader.take()
    if reader.accept("sign", "."):
        if name.value not in ("thanopg", "pg_catalog"):
            raise NotSupported(f"the embedding service has no schema {name.value!r}", hint=ACCEPTED_HINT)
        name = reader.take()
    if name.kind != "name" or not reader.accept("sign", "("):
        raise NotSupported("this statement is not accepted by the embedding service", hint=ACCEPTED_HINT)
    return _call(reader, name.text)


def _call(reader: _Reader, function: str) -> Statement:
    if function in _ANSWERED and reader.accept("sign", ")"):
        fixed = _ANSWERED[function]
        return Fixed(_alias(reader, fixed.column), fixed.value, fixed.oid)
    signature = FUNCTIONS.get(function)
    if signature is None:
        raise NotSupported(f"the embedding service has no function {function}", hint=ACCEPTED_HINT)
    arguments: list[Argument] = []
    types: dict[int, int] = {}
    cast: set[int] = set()
    while not reader.accept("sign", ")"):
        if arguments and not reader.accept("sign", ","):
            raise SyntaxNotUnderstood(f"expected a comma or a parenthesis in the call of {function}")
        if len(arguments) == len(signature.types):
            raise _wrong_count(function, signature)
        expected = signature.types[len(arguments)]
        argument = _argument(reader, function)
        target = _cast(reader)
        if target is not None and target != expected:
            raise NotSupported(
                f"argument {len(arguments) + 1} of {function} must be {_type_name(expected)}", hint=ACCEPTED_HINT
            )
        if isinstance(argument, Parameter):
            if types.setdefault(argument.number, expected) != expected:
                raise SyntaxNotUnderstood(f"${argument.number} is used as text and as bytea")
            if target is not None:
                cast.add(argument.number)
        arguments.append(argument)
    if len(arguments) < signature.required:
        raise _wrong_count(function, signature)
    if _cast(reader) not in (None, TEXT):
        raise NotSupported(f"{function} gives text; cast it in the database", hint=ACCEPTED_HINT)
    parameters = tuple(types.get(number, TEXT) for number in range(1, max(types, default=0) + 1))
    return Call(function, tuple(arguments), _alias(reader, function), parameters, frozenset(cast))


def _argument(reader: _Reader, function: str) -> Argument:
    token = reader.take()
    if token.kind == "string":
        return token.value
    if token.kind == "parameter" and 1 <= int(token.text) <= MAX_PARAMETERS:
        return Parameter(int(token.text))
    if token == ("name", "null"):
        return None
    raise NotSupported(f"arguments of {function} must be literals or parameters", hint=ACCEPTED_HINT)


def _cast(reader: _Reader) -> int | None:
    if not reader.accept("sign", "::"):
        return None
    name = reader.take().text
    if reader.accept("sign", "."):
        name = reader.take().text
    if name == "character" and reader.accept("name", "varying"):
        name = "character varying"
    if name not in CASTS:
        raise NotSupported(f"no cast to {name}", hint="casts to text and bytea are accepted")
    return CASTS[name]


def _alias(reader: _Reader, default: str) -> str:
    """The column's name, and the end of the statement."""
    column = default
    explicit = reader.accept("name", "as")
    if reader.here.kind == "name":
        column = reader.take().text
    elif explicit:
        raise SyntaxNotUnderstood("expected a name after AS")
    if reader.here is not END:
        raise NotSupported("one call in one SELECT, and nothing after it", hint=ACCEPTED_HINT)
    return column


def _wrong_count(function: str, signature: Signature) -> NotSupported:
    names = ", ".join(_type_name(oid) for oid in signature.types)
    return NotSupported(
        f"{function} takes {signature.required} to {len(signature.types)} arguments: {names}"
        if signature.required < len(signature.types)
        else f"{function} takes {signature.required} arguments: {names}",
        hint=ACCEPTED_HINT,
    )


def _type_name(oid: int) -> str:
    return "bytea" if oid == BYTEA else "text"
