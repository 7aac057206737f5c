"""A script → its statements: each but the last is ended by a `;` that is not part of a literal or a comment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

BLANK = " \t\r\n\f\v;"


def statements(text: str, is_complete: Callable[[str], bool]) -> Iterator[str]:
    """`is_complete` knows literals and comments. Whatever is behind the last `;` is a statement, if it is anything."""
    begin, end = 0, -1
    while (end := text.find(";", end + 1)) >= 0:
        statement = text[begin:end]
        if is_complete(statement):
            if statement.strip(BLANK):
                yield statement.strip()
            begin = end + 1
    if text[begin:].strip(BLANK):
        yield text[begin:].strip()
