"""SQL as the user wrote it, passed over token by token to find where it ends and what of ThanoSQL stands in it."""

from __future__ import annotations

from typing import Protocol

from thanopg.thanosql.lexer import Lexer, Token
from thanopg.thanosql.tree import Nestable, Nested, Parameter, Span, Sql, Verbatim

SELECT_CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR")
JOINS = ("JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "LATERAL", "TABLESAMPLE")
SET_OPERATIONS = ("UNION", "INTERSECT", "EXCEPT")
CLAUSES = frozenset((*SELECT_CLAUSES, *SET_OPERATIONS, "ON", "USING", "SET", "VALUES", "RETURNING", "WITH"))
AFTER_FROM_ITEM = frozenset((*CLAUSES, *JOINS, "DO", "AND", "OR", "NOT", "WHEN", "THEN", "END"))
"""words that are no alias"""
BEFORE_FROM_ITEM = ("FROM", "JOIN", "LATERAL")


class StatementReader(Protocol):
    def begins_nestable(self, token: Token) -> bool:
        """Whether a ThanoSQL statement begins with this token."""

    def nested_statement(self, at: int) -> tuple[Nestable, int]:
        """The statement at `at`, and where the parenthesis stands that ends it."""


class SqlReader:
    """Reads SQL up to its end, or up to the parenthesis that closes what it stands in."""

    def __init__(self, lexer: Lexer, statements: StatementReader) -> None:
        self.lexer = lexer
        self.statements = statements

    def read(self, at: int, *, nested: bool) -> tuple[Sql, int]:
        """`nested`: ends before `)` or `;`. Otherwise the whole rest is one statement, or an error."""
        begin = self._after_space(at)
        pieces: list[Verbatim | Parameter | Nested] = []
        opened: list[Token] = []
        clauses = [""]
        bodies = FunctionBody()
        written = begin
        before = Token("end", "", begin, begin)
        numbered: Token | None = None
        while True:
            token = self.lexer.sql(at)
            if token.kind == "end":
                if opened and nested:
                    raise self.lexer.error("this parenthesis is not closed", opened[-1].start)
                break
            if token.is_sign(")"):
                if nested and not opened:
                    break
                if opened:
                    opened.pop()
                    clauses.pop()
            elif token.is_sign(";") and not opened and not bodies.open:
                if not nested:
                    self._expect_end(token)
                break
            elif token.is_sign("("):
                first = self.lexer.clause(token.end)
                if self.statements.begins_nestable(first):
                    statement, close = self.statements.nested_statement(token.end)
                    pieces.append(self._verbatim(written, token.start))
                    in_from = before.is_word(*BEFORE_FROM_ITEM) or (before.is_sign(",") and clauses[-1] == "FROM")
                    needs_alias = in_from and not self._is_alias(self.lexer.sql(close + 1))
                    pieces.append(Nested(statement, needs_alias, at=Span(token.start, close + 1)))
                    at = written = close + 1
                    before = Token("sign", ")", close, close + 1)
                    continue
                opened.append(token)
                clauses.append("")
            elif token.kind == "parameter" and not token.text[1].isdigit():
                pieces.append(self._verbatim(written, token.start))
                pieces.append(Parameter(token.text[1:], at=Span(token.start, token.end)))
                written = token.end
            elif token.kind == "parameter":
                numbered = numbered or token
            elif token.kind == "name":
                bodies.word(token)
                if token.text.upper() in CLAUSES and not before.is_sign("."):
                    clauses[-1] = token.text.upper()
            before = token
            at = token.end
        if numbered is not None and (nested or pieces):  # the numbers are taken by values of ours
            raise self.lexer.error(
                f"{numbered.text} has no value here", numbered.start, len(numbered.text), hint="name the value: $name"
            )
        end = max(written, begin + len(self.lexer.statement[begin : token.start].rstrip()))
        pieces.append(self._verbatim(written, end))
        kept = tuple(piece for piece in pieces if not isinstance(piece, Verbatim) or piece.text)
        return Sql(kept, at=Span(begin, end)), token.start

    def _after_space(self, at: int) -> int:
        text = self.lexer.statement
        while at < len(text) and text[at].isspace():
            at += 1
        return at

    def _verbatim(self, start: int, end: int) -> Verbatim:
        return Verbatim(self.lexer.statement[start:end], at=Span(start, end))

    def _is_alias(self, token: Token) -> bool:
        if token.kind == "quoted":
            return True
        return token.kind == "name" and token.text.upper() not in AFTER_FROM_ITEM

    def _expect_end(self, semicolon: Token) -> None:
        after = self.lexer.sql(semicolon.end)
        if after.kind != "end":
            raise self.lexer.error(
                "only one statement can be given at a time", after.start, hint="run them one after the other"
            )


class FunctionBody:
    """Within `CREATE FUNCTION … BEGIN ATOMIC … END` a `;` ends nothing."""

    def __init__(self) -> None:
        self._words = 0
        self._creates = False
        self.open = 0

    def word(self, token: Token) -> None:
        self._words += 1
        text = token.text.upper()
        if self._words == 1:
            self._creates = text == "CREATE"
        elif self._creates and self._words <= 4 and text in ("FUNCTION", "PROCEDURE"):
            self._words = 10
        elif self._creates and self._words > 10:
            if text == "BEGIN" or (text == "CASE" and self.open):
                self.open += 1
            elif text == "END" and self.open:
                self.open -= 1
