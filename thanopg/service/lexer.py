"""SQL text to tokens, as far as the service's few statements need it. Pure.

It reads the bytes of a message where they lie: long are only literals, those of images above all, and they cost no more
than a search for their end. Of everything that is read sign by sign there is a bound, so that no message, however long,
holds up the others for more than a few hundred microseconds.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from thanopg.errors import InvalidArgument, LimitExceeded, SyntaxNotUnderstood
from thanopg.service.frontend import LARGE, Text, decode_text, invalid_encoding

TokenKind = Literal["name", "string", "parameter", "number", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Long:
    """A literal that is too long to be copied, where it lies in its message."""

    view: memoryview
    doubled: str = ""
    """the sign that stands for one of its kind when it is there twice"""

    def beginning(self, characters: int) -> str:
        """Its first characters. Raises InvalidEncoding, InvalidArgument."""
        raw = bytes(self.view[: 4 * characters])
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(raw)  # a character cut at the end is left out
        except UnicodeDecodeError as error:
            raise invalid_encoding(error) from None
        if "\0" in text:
            raise InvalidArgument("a text can't contain the zero byte")
        return text.replace(2 * self.doubled, self.doubled) if self.doubled else text


class Token(NamedTuple):
    kind: TokenKind
    value: str | Long
    """a name in lower case unless it was quoted, a string's content, a parameter's number, a sign's characters"""

    @property
    def text(self) -> str:
        """The value; of a long one as much of it as any name has."""
        return self.value if isinstance(self.value, str) else self.value.beginning(LONGEST_NAME)


MAX_TOKENS = 200
"""and the gaps between them"""
MAX_MARKS = 4_000
"""doubled quotes in one literal, beginnings and ends of comments"""
MAX_ESCAPED = 64 * 1024
"""bytes of a literal with backslashes, but for a bytea's digits"""
MAX_BACKSLASHES = 1_000

LONGEST_NAME = 256

END = Token("end", "")

_SPACE = re.compile(rb"[ \t\n\r\f\v]{1,1000}")
_PLAIN = re.compile(
    rb"""(?P<name>[A-Za-z_\x80-\xff][\w$\x80-\xff]{0,255})
      | \$(?P<parameter>\d{1,5})(?![\w$\x80-\xff])
      | (?P<number>\d{1,20})
      | (?P<sign>::|=>|.)""",
    re.VERBOSE | re.DOTALL,
)
_DOLLAR = re.compile(rb"\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]{0,62})?\$")
_BACKSLASH = re.compile(r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})|(.))|''", re.DOTALL)
_ESCAPED = re.compile(rb"(?:[^'\\]++|\\.|'')*+'", re.DOTALL)  # possessive: no end is no end, however it is cut
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def tokens(text: Text) -> Iterator[Token]:
    """Every token of `text`, spaces and comments left out, without an end token.

    Raises SyntaxNotUnderstood, LimitExceeded; InvalidEncoding for a long text, of which only the tokens are decoded.
    """
    position, end = 0, len(text)
    for _ in range(MAX_TOKENS):
        if position >= end:
            return
        if space := _SPACE.match(text, position):
            position = space.end()
        elif text.startswith(b"--", position):
            position = _after(text, b"\n", position) or end
        elif text.startswith(b"/*", position):
            position = _skip_comment(text, position)
        else:
            token, position = _token(text, position)
            yield token
    if position < end:
        raise _too_much(f"words, signs and gaps, at most {MAX_TOKENS}")


def _token(text: Text, position: int) -> tuple[Token, int]:
    first = text[position : position + 1]
    if first == b"'":
        return _quoted(text, position + 1, "'", "string")
    if first == b'"':
        return _quoted(text, position + 1, '"', "name")
    if first in b"eE" and text.startswith(b"'", position + 1):
        return _escape_string(text, position + 2)
    if first == b"$" and (tag := _DOLLAR.match(text, position)):
        close = text.find(tag[0], tag.end())
        if close < 0:
            raise SyntaxNotUnderstood("unterminated dollar-quoted string")
        return Token("string", _content(text, tag.end(), close)), close + len(tag[0])
    match = _PLAIN.match(text, position)
    assert match is not None, "the last branch takes any byte"
    kind: TokenKind = match.lastgroup  # type: ignore[assignment]  # the groups are named after the kinds
    value = decode_text(bytes(match[kind]))
    return Token(kind, value.lower() if kind == "name" else value), match.end()


def _quoted(text: Text, start: int, quote: str, kind: TokenKind) -> tuple[Token, int]:
    mark = quote.encode()
    position = start
    for doubled in range(MAX_MARKS):
        if (position := text.find(mark, position)) < 0:
            raise SyntaxNotUnderstood("unterminated quoted " + ("string" if kind == "string" else "identifier"))
        if not text.startswith(mark, position + 1):
            content = _content(text, start, position, quote if doubled else "")
            if kind == "name" and isinstance(content, Long):
                raise _too_much(f"bytes in a name, at most {LARGE}")
            return Token(kind, content), position + 1
        position += 2
    raise _too_much(f"quotes in a literal, at most {MAX_MARKS}")


def _content(text: Text, start: int, end: int, doubled: str = "") -> str | Long:
    if end - start > LARGE:
        return Long(memoryview(text)[start:end], doubled)
    content = decode_text(bytes(text[start:end]))
    return content.replace(2 * doubled, doubled) if doubled else content


def _escape_string(text: Text, start: int) -> tuple[Token, int]:
    if text.startswith(b"\\\\", start):
        close = text.find(b"'", start)
        if close > 0 and text.find(b"\\", start + 2, close) < 0 and not text.startswith(b"'", close + 1):
            return Token("string", _content(text, start + 1, close)), close + 1  # a bytea's digits, perhaps millions
    match = _ESCAPED.match(text, start, start + MAX_ESCAPED)
    if match is None:
        if len(text) - start > MAX_ESCAPED:
            raise _too_much(f"bytes in a literal with backslashes, at most {MAX_ESCAPED}")
        raise SyntaxNotUnderstood("unterminated quoted string")
    content = decode_text(bytes(text[start : match.end() - 1]))
    if content.count("\\") > MAX_BACKSLASHES:
        raise _too_much(f"backslashes in a literal, at most {MAX_BACKSLASHES}")
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


def _skip_comment(text: Text, start: int) -> int:
    """Searches for each mark of its own: a pattern that looks for either would look at every byte."""
    depth, position = 1, start + 2
    begin = text.find(b"/*", position)
    for _ in range(MAX_MARKS):
        close = text.find(b"*/", position)
        if close < 0:
            raise SyntaxNotUnderstood("unterminated comment")
        if 0 <= begin < close:
            depth, position = depth + 1, begin + 2
        else:
            depth, position = depth - 1, close + 2
        if depth == 0:
            return position
        if 0 <= begin < position:
            begin = text.find(b"/*", position)
    raise _too_much(f"comments in one another, at most {MAX_MARKS}")


def _after(text: Text, mark: bytes, position: int) -> int:
    """Where `mark` ends; 0 when it is not there."""
    return text.find(mark, position) + 1


def _too_much(what: str) -> LimitExceeded:
    return LimitExceeded(f"too many {what}", hint="send several queries, or bind the text as a parameter")
