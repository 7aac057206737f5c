"""SQL text to tokens, as far as the service's few statements need it. Pure.

Long are only literals of images, and those cost a search for their end. Of everything that is read sign by sign there
is a bound, so that no message, however long, holds up the others for more than a few milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal, NamedTuple

from thanopg.errors import LimitExceeded, SyntaxNotUnderstood

TokenKind = Literal["name", "string", "parameter", "number", "sign", "end"]


class Token(NamedTuple):
    kind: TokenKind
    value: str
    """a name in lower case unless it was quoted, a string's content, a parameter's number, a sign's characters"""


MAX_TOKENS = 500
"""and the gaps between them"""
MAX_MARKS = 10_000
"""doubled quotes in one literal, beginnings and ends of comments"""
MAX_ESCAPED = 64 * 1024
"""characters of a literal with backslashes, but for a bytea's digits"""

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
_ESCAPED = re.compile(r"(?:[^'\\]++|\\.|'')*+'", re.DOTALL)  # possessive: no end is no end, however it is cut
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def tokens(text: str) -> Iterator[Token]:
    """Every token of `text`, spaces and comments left out, without an end token. Raises SyntaxNotUnderstood."""
    position, end = 0, len(text)
    for _ in range(MAX_TOKENS):
        if position >= end:
            return
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        if text.startswith("/*", position):
            position = _skip_comment(text, position)
            continue
        token, position = _token(text, position)
        yield token
    raise _too_much(f"words, signs and gaps, at most {MAX_TOKENS}")


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
    for doubled in range(MAX_MARKS):
        if (position := text.find(quote, position)) < 0:
            raise SyntaxNotUnderstood("unterminated quoted " + ("string" if kind == "string" else "identifier"))
        if not text.startswith(quote, position + 1):
            content = text[start:position]
            return Token(kind, content.replace(quote + quote, quote) if doubled else content), position + 1
        position += 2
    raise _too_much(f"quotes in a literal, at most {MAX_MARKS}")


def _escape_string(text: str, start: int) -> tuple[Token, int]:
    if text.startswith("\\\\", start):
        close = text.find("'", start)
        if close > 0 and text.find("\\", start + 2, close) < 0 and not text.startswith("'", close + 1):
            return Token("string", text[start + 1 : close]), close + 1  # a bytea's digits, perhaps many millions
    match = _ESCAPED.match(text, start, start + MAX_ESCAPED)
    if match is None:
        if len(text) - start > MAX_ESCAPED:
            raise _too_much(f"characters in a literal with backslashes, at most {MAX_ESCAPED}")
        raise SyntaxNotUnderstood("unterminated quoted string")
    content = text[start : match.end() - 1]
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
    depth, last = 0, start
    for mark in islice(_COMMENT.finditer(text, start), MAX_MARKS):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
        last = mark.end()
    if _COMMENT.search(text, last):
        raise _too_much(f"comments in one another, at most {MAX_MARKS}")
    raise SyntaxNotUnderstood("unterminated comment")


def _too_much(what: str) -> LimitExceeded:
    return LimitExceeded(f"too many {what}", hint="send several queries, or bind the text as a parameter")
