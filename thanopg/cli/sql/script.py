"""A script → its statements: each but the last is ended by a `;` that is not part of a literal or a comment."""

from __future__ import annotations

from collections.abc import Iterator

from thanopg.errors import SyntaxNotUnderstood
from thanopg.thanosql.lexer import Lexer, Token


def statements(text: str) -> Iterator[str]:
    """Literals and comments are SQL's. Behind a quote that is not closed nothing is taken apart."""
    lexer = Lexer(text)
    begin = at = 0
    while (token := _next(lexer, at)) is not None and token.kind != "end":
        at = token.end
        if token.is_sign(";"):
            yield from _statement(text[begin : token.start])
            begin = at
    yield from _statement(text[begin:])


def _statement(text: str) -> Iterator[str]:
    """None, where there are only comments."""
    first = _next(Lexer(text), 0)
    if first is None or first.kind != "end":
        yield text.strip()


def _next(lexer: Lexer, at: int) -> Token | None:
    try:
        return lexer.sql(at)
    except SyntaxNotUnderstood:
        return None
