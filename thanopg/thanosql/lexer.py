"""Signs to tokens, one at a time and from any place, because SQL and ThanoSQL's own clauses read quotes differently.

In SQL the rules are PostgreSQL's (`'…''…'`, `E'…\\'…'`, `"…"`, `$tag$…$tag$`, nested comments). In ThanoSQL's clauses
both kinds of quotes hold a text, a backslash or doubling escapes a quote, and `#` begins a comment too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from thanopg.errors import SyntaxNotUnderstood

Kind = Literal["name", "quoted", "string", "number", "parameter", "sign", "end"]

_NAME = r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*"
_SPACE = re.compile(r"\s+")
_LINE_COMMENT = re.compile(r"--[^\r\n]*")
_HASH_COMMENT = re.compile(r"#[^\r\n]*")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_ESCAPED = re.compile(r"[eE]'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_STRING = re.compile(r"(?:[bBxXnN]|[uU]&)?'[^']*(?:''[^']*)*'")
_QUOTED = re.compile(r'(?:[uU]&)?"[^"]*(?:""[^"]*)*"')
_OPENS = re.compile(r"""(?:[bBxXnNeE]|[uU]&)?'|(?:[uU]&)?\"""")
_DOLLAR = re.compile(rf"\$(?:{_NAME})?\$")
_PARAMETER = re.compile(rf"\$(?:{_NAME}|[0-9]+)")
_SQL_NAME = re.compile(rf"{_NAME}[$A-Za-z0-9_\u0080-\U0010ffff]*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?")
_VALUE_QUOTE = {
    quote: re.compile(rf"{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*{quote}", re.DOTALL) for quote in ("'", '"')
}
_VALUE_ESCAPE = {quote: re.compile(rf"\\([\\'\"])|{quote}({quote})") for quote in ("'", '"')}


@dataclass(frozen=True)
class Token:
    """`text` is as written."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "name" and self.text.upper() in words

    def is_sign(self, *signs: str) -> bool:
        return self.kind == "sign" and self.text in signs

    @property
    def name(self) -> str:
        """Of a name, folded as PostgreSQL does; of a quoted one, what is between the quotes."""
        if self.kind == "quoted":
            return self.text[self.text.index('"') + 1 : -1].replace('""', '"')
        return self.text.lower()


class Lexer:
    """Reads one statement."""

    def __init__(self, statement: str) -> None:
        self.statement = statement

    def skip(self, at: int, *, hash_comments: bool = False) -> int:
        """The next place that is neither space nor comment."""
        while True:
            before = at
            for pattern in (_SPACE, _LINE_COMMENT, *((_HASH_COMMENT,) if hash_comments else ())):
                if found := pattern.match(self.statement, at):
                    at = found.end()
            if self.statement.startswith("/*", at):
                at = self._end_of_comment(at)
            if at == before:
                return at

    def sql(self, at: int) -> Token:
        """The SQL token at or after `at`. Raises SyntaxNotUnderstood for a quote or comment that does not end."""
        at = self.skip(at)
        text = self.statement
        if at >= len(text):
            return Token("end", "", at, at)
        if found := _ESCAPED.match(text, at) or _STRING.match(text, at):
            return Token("string", found[0], at, found.end())
        if found := _QUOTED.match(text, at):
            return Token("quoted", found[0], at, found.end())
        if _OPENS.match(text, at):
            raise self.error("this quote is not closed", at)
        if found := _DOLLAR.match(text, at):
            close = text.find(found[0], found.end())
            if close < 0:
                raise self.error(f"the text that {found[0]} begins is not closed", at, len(found[0]))
            return Token("string", text[at : close + len(found[0])], at, close + len(found[0]))
        return self._plain(at, _SQL_NAME)

    def clause(self, at: int) -> Token:
        """The token of a ThanoSQL clause at or after `at`; both kinds of quotes give a string."""
        at = self.skip(at, hash_comments=True)
        text = self.statement
        if at >= len(text):
            return Token("end", "", at, at)
        if text[at] in _VALUE_QUOTE:
            found = _VALUE_QUOTE[text[at]].match(text, at)
            if found is None:
                raise self.error("this quote is not closed", at)
            return Token("string", found[0], at, found.end())
        return self._plain(at, _SQL_NAME)

    def error(self, message: str, at: int, length: int = 1, *, hint: str = "") -> SyntaxNotUnderstood:
        return SyntaxNotUnderstood(message, hint=hint, statement=self.statement, offset=at, length=length)

    def _plain(self, at: int, name: re.Pattern[str]) -> Token:
        text = self.statement
        if found := name.match(text, at):
            return Token("name", found[0], at, found.end())
        if found := _NUMBER.match(text, at):
            return Token("number", found[0], at, found.end())
        if found := _PARAMETER.match(text, at):
            return Token("parameter", found[0], at, found.end())
        return Token("sign", text[at], at, at + 1)

    def _end_of_comment(self, at: int) -> int:
        depth, place = 0, at
        while found := _COMMENT_EDGE.search(self.statement, place):
            depth += 1 if found[0] == "/*" else -1
            place = found.end()
            if depth == 0:
                return place
        raise self.error("this comment is not closed", at, 2)


def value_of(text: str) -> str:
    """What a ThanoSQL string says: `'it''s'`, `"a \\"b\\""`. A backslash before anything else is itself."""
    quote = text[0]
    return _VALUE_ESCAPE[quote].sub(lambda found: found[1] or found[2], text[1:-1])


def quote_value(text: str) -> str:
    """The other way round."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
