"""SQL text to tokens, as far as the service's few statements need it. Pure, linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from thanopg.errors import SyntaxNotUnderstood

TokenKind = Literal["name", "string", "parameter", "number", "sign", "end"]


class Token(NamedTuple):
    kind: TokenKind
    value: str
    """a name in lower case unless it was quoted, a string's content, a parameter's number, a sign's characters"""


END = Token("end", "")

_SPACE = re.compile(r"(?:\s+|--[^\n]*)+")
_PLAIN = re.compile(
    r"""(?P<name>[^\W\d][\w$]*)
      | \$(?P<parameter>\d{1,5})(?![\w$])
      | (?P<number>\d+)
      | (?P<sign>::|=>|.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_BACKSLASH = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|(.))|''", re.DOTALL)
_ESCAPED = re.compile(r"(?:[^'\\]+|\\.|'')*'", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def tokens(text: str) -> Iterator[Token]:
    """Every token of `text`, spaces and comments left out, without an end token. Raises SyntaxNotUnderstood."""
    position, end = 0, len(text)
    while position < end:
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        if text.startswith("/*", position):
            position = _skip_comment(text, position)
            continue
        token, position = _token(text, position)
        yield token


def _token(text: str, position: int) -> tuple[Token, int]:
    first = text[position]
    if first == "'":
        return _quoted(text, position + 1, "'", "string")
    if first == '"':
        return _quoted(text, position + 1, '"', "name")
    if first in "eE" and text.startswith("'", position + 1):
        return _escape_string(text, position + 2)
    if first == "$" and (tag := _DOLLAR.match(text, position)):
        close = text.find(tag[0], tag.end())
        if close < 0:
            raise SyntaxNotUnderstood("unterminated dollar-quoted string")
        return Token("string", text[tag.end() : close]), close + len(tag[0])
    match = _PLAIN.match(text, position)
    assert match is not None, "the last branch takes any character"
    kind: TokenKind = match.lastgroup  # type: ignore[assignment]  # the groups are named after the kinds
    value = match[kind]
    return Token(kind, value.lower() if kind == "name" else value), match.end()


def _quoted(text: str, start: int, quote: str, kind: TokenKind) -> tuple[Token, int]:
    """Find the closing quote with str.find, because an image's literal may be a hundred megabytes long."""
    position = start
    while (position := text.find(quote, position)) >= 0:
        if not text.startswith(quote, position + 1):
            return Token(kind, text[start:position].replace(quote + quote, quote)), position + 1
        position += 2
    raise SyntaxNotUnderstood("unterminated quoted " + ("string" if kind == "string" else "identifier"))


def _escape_string(text: str, start: int) -> tuple[Token, int]:
    match = _ESCAPED.match(text, start)
    if match is None:
        raise SyntaxNotUnderstood("unterminated quoted string")
    content = text[start : match.end() - 1]
    if content.startswith("\\\\") and content.find("\\", 2) < 0 and "'" not in content:
        return Token("string", content[1:]), match.end()  # a bytea's digits, of which there may be many millions
    return Token("string", _BACKSLASH.sub(_character, content)), match.end()


def _character(match: re.Match[str]) -> str:
    if match[0] == "''":
        return "'"
    if match[5] is not None:
        return _CONTROL.get(match[5], match[5])
    code = int(match[4], 8) if match[4] else int(match[1] or match[2] or match[3], 16)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise SyntaxNotUnderstood("invalid escape in a quoted string")
    if code > 0x7F and (match[1] or match[4]):
        raise SyntaxNotUnderstood("byte escapes above \\x7f are not accepted", hint="write the character, or \\uXXXX")
    return chr(code)


def _skip_comment(text: str, start: int) -> int:
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise SyntaxNotUnderstood("unterminated comment")
