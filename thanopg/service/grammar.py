"""SQL text to statements: which ones are accepted, and nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from thanopg.errors import NotSupported
from thanopg.service.frontend import LARGE, Text, decode_text
from thanopg.service.lexer import Token, tokens
from thanopg.service.selection import parse_select
from thanopg.service.statement import (
    ACCEPTED_HINT,
    SERVER_VERSION,
    Call,
    Fixed,
    Forget,
    NoOp,
    Statement,
    Transaction,
    is_utf8,
)

_USUAL: Final = re.compile(rb"SELECT embed_text\('([^']*)', '([^']*)', '([^']*)'\)")
"""as the database writes nearly all that it asks; word by word, reading it would be most of a cached answer's time"""


def parse(text: Text) -> list[Statement]:
    """The statements of `text` in order; none for an empty query. Raises SyntaxNotUnderstood and NotSupported."""
    if len(text) <= LARGE and (usual := _USUAL.fullmatch(text)):
        return [Call("embed_text", tuple(map(decode_text, usual.groups())), "embed_text", (), frozenset())]
    statements: list[Statement] = []
    current: list[Token] = []
    for token in tokens(text):
        if token == ("sign", ";"):
            if current:
                statements.append(_statement(current))
            current = []
        else:
            current.append(token)
    if current:
        statements.append(_statement(current))
    return statements


def _statement(parts: list[Token]) -> Statement:
    words = [token.text for token in parts if token.kind == "name"]
    rule = _RULES.get(parts[0].text) if parts[0].kind == "name" else None
    if rule is None:
        raise NotSupported("this statement is not accepted by the embedding service", hint=ACCEPTED_HINT)
    return rule(parts, words)


# --- what drivers send around the calls ------------------------------------------------------------------------------


def _rollback(parts: list[Token], words: list[str]) -> Statement:
    return Transaction("ROLLBACK TO" if "to" in words else "ROLLBACK")


def _set(parts: list[Token], words: list[str]) -> Statement:
    if words[1:2] == ["names"] or "client_encoding" in words:
        encodings = [token.text for token in parts if token.kind == "string"] or words[-1:]
        if not is_utf8(encodings[-1]):
            raise NotSupported(f"client_encoding must be UTF8, not {encodings[-1]}")
    return NoOp("SET")


def _deallocate(parts: list[Token], words: list[str]) -> Statement:
    name = parts[-1]
    everything = len(parts) > 1 and name == ("name", "all")
    return Forget(None if everything else name.text, "DEALLOCATE ALL" if everything else "DEALLOCATE")


def _discard(parts: list[Token], words: list[str]) -> Statement:
    what = words[1] if len(words) > 1 else "all"
    return Forget(None, "DISCARD ALL") if what == "all" else NoOp(f"DISCARD {what.upper()}")


def _show(parts: list[Token], words: list[str]) -> Statement:
    name = " ".join(words[1:])
    value = SHOWN.get(name)
    if value is None:
        raise NotSupported(f"the embedding service has no setting {name!r}", hint=ACCEPTED_HINT)
    return Fixed(name.replace(" ", "_"), value, tag="SHOW")


SHOWN: Final[dict[str, str]] = {
    "transaction isolation level": "read committed",
    "transaction_isolation": "read committed",
    "default_transaction_isolation": "read committed",
    "transaction_read_only": "on",
    "default_transaction_read_only": "off",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    "server_encoding": "UTF8",
    "server_version": SERVER_VERSION,
    "server_version_num": "180000",
    "integer_datetimes": "on",
    "datestyle": "ISO, MDY",
    "timezone": "UTC",
    "search_path": "thanopg",
    "max_identifier_length": "63",
}


_Rule = Callable[[list[Token], list[str]], Statement]


def _always(statement: Statement, parts: list[Token], words: list[str]) -> Statement:
    return statement


_RULES: Final[dict[str, _Rule]] = {
    "select": parse_select,
    "show": _show,
    "set": _set,
    "deallocate": _deallocate,
    "discard": _discard,
    "rollback": _rollback,
    "abort": partial(_always, Transaction("ROLLBACK")),
    "begin": partial(_always, Transaction("BEGIN")),
    "start": partial(_always, Transaction("START TRANSACTION")),
    "commit": partial(_always, Transaction("COMMIT")),
    "end": partial(_always, Transaction("COMMIT")),
    "savepoint": partial(_always, NoOp("SAVEPOINT")),
    "release": partial(_always, NoOp("RELEASE")),
    "reset": partial(_always, NoOp("RESET")),
    "unlisten": partial(_always, NoOp("UNLISTEN")),
    "close": partial(_always, NoOp("CLOSE CURSOR ALL")),
}
