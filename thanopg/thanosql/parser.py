"""A statement as text → its tree. Pure; raises SyntaxNotUnderstood with the place, and nothing else.

ThanoSQL's clauses are read here; the SQL around and within them is passed over by `sqltext`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from thanopg.errors import SyntaxNotUnderstood
from thanopg.thanosql.clauses import ClauseReader
from thanopg.thanosql.lexer import Lexer, Token
from thanopg.thanosql.sqltext import SqlReader
from thanopg.thanosql.tree import (
    BuildModel,
    Convert,
    Copy,
    DeleteModel,
    GetModel,
    Listing,
    Nestable,
    Parameter,
    Print,
    Query,
    Search,
    Span,
    Statement,
    Text,
)
from thanopg.thanosql.vocabulary import (
    IMAGES_ONLY,
    MEDIA,
    SECOND_WORDS,
    UNSUPPORTED,
    did_you_mean,
    nearest,
)

DEEPEST = 50
"""statements within statements"""
SEARCH_INPUTS = ("text", "texts", "image", "images")
SQL_COPY = "PostgreSQL's own COPY is not part of ThanoSQL: use \\copy in psql"


def parse(statement: str) -> Statement:
    """One statement, with or without a `;` at its end."""
    return Parser(statement).statement()


class Parser(ClauseReader):
    """Recursive descent; `self.at` is the place that is read next."""

    def __init__(self, statement: str) -> None:
        super().__init__(Lexer(statement))
        self.depth = 0
        self.known: dict[int, tuple[Query, int]] = {}
        """queries already read, by where they begin: a parenthesis may have to be looked at twice"""

    def statement(self) -> Statement:
        first = self.peek()
        if first.kind == "end" or first.is_sign(";"):
            raise self.error("there is no statement", first)
        tree = self._thanosql(first)
        if tree is None:
            return self._query_text(nested=False)
        self._expect_end()
        return tree

    def _thanosql(self, first: Token) -> Statement | None:
        """The statement if its first words are ThanoSQL's."""
        word = first.text.upper() if first.kind == "name" else ""
        if word in UNSUPPORTED:
            self._refuse(first, word)
        if word == "CREATE" and self._creates_using():
            raise self.error(
                "CREATE TABLE … USING is not supported", first, hint="COPY t FROM 'folder', then CONVERT USING"
            )
        if word == "DELETE":
            return self._delete_model() if self.peek(2).is_word("MODEL") else None
        readers: dict[str, Callable[[], Statement]] = {
            "COPY": self._copy,
            "PRINT": self._print,
            "GET": self._get,
            "BUILD": self._build,
            "FIT": self._build,
        }
        if word in readers:
            return readers[word]()
        if word in ("SEARCH", "CONVERT", "LIST"):
            return self._nestable()
        return None

    def _nestable(self) -> Nestable:
        first = self.peek()
        if first.is_word("SEARCH"):
            return self._search()
        if first.is_word("CONVERT"):
            return self._convert()
        if first.is_word("LIST"):
            return self._list()
        word = first.text.upper()
        if word in UNSUPPORTED:
            self._refuse(first, word)
        raise self.error(f"{word} cannot stand inside another statement", first)

    def _refuse(self, first: Token, word: str) -> NoReturn:
        raise self.error(f"{word} is not supported", first, hint=UNSUPPORTED[word])

    # --- one statement each ----------------------------------------------------------------------------------------

    def _search(self) -> Search:
        begin = self.take_word("SEARCH").start
        self._medium("SEARCH")
        by, inputs = None, None
        token = self.peek()
        while not token.is_word("USING", "OPTIONS", "AS") and token.kind == "name":
            key = self.next()
            if key.text.lower() not in SEARCH_INPUTS:
                if self.peek().is_sign("="):
                    raise self.error(
                        f"unknown search input {key.text}",
                        key,
                        hint=did_you_mean(key.text, SEARCH_INPUTS, what="one of"),
                    )
                raise self.unexpected(key, "USING", "text=…", "image=…")
            if by is not None:
                raise self.error("only one of text, texts, image and images can be given", key)
            self.take_sign("=")
            by, inputs = key.text.lower().removesuffix("s"), self.value()
            if self.peek().is_sign(","):
                self.next()
                if self.peek().kind != "name" or self.peek().is_word("USING", "AS"):
                    raise self.unexpected(self.peek(), *SEARCH_INPUTS)
            token = self.peek()
        self.take_word("USING")
        model = self.name("a model")
        options = self.options()
        sorted_form = by is None
        if by is None or inputs is None:
            by, inputs, options = self.search_options(model.at, options)
        elif any(option.key in ("search_by", "search_input") for option in options):
            raise self.error_at("the search input is given twice", options[0].at)
        query = self._source()
        return Search(
            by="image" if by == "image" else "text",
            inputs=inputs,
            model=model,
            options=options,
            query=query,
            sorted=sorted_form,
            at=Span(begin, self.at),
        )

    def _convert(self) -> Convert:
        begin = self.take_word("CONVERT").start
        self.take_word("USING")
        model = self.name("a model")
        options = self.options()
        return Convert(model, options, self._source(), at=Span(begin, self.at))

    def _list(self) -> Listing:
        begin = self.take_word("LIST").start
        word = self.next()
        if word.is_word("MODEL"):
            return Listing("MODEL", at=Span(begin, self.at))
        if word.is_word("TABLE"):
            return Listing("TABLE", at=Span(begin, self.at))
        if word.is_word("THANOSQL"):
            what = self.next()
            if what.is_word("DATASET", "TUTORIAL"):
                raise self.error(
                    f"LIST THANOSQL {what.text.upper()} is not supported", what, hint="there is LIST THANOSQL MODEL"
                )
            if not what.is_word("MODEL"):
                raise self.unexpected(what, "MODEL")
            return Listing("THANOSQL MODEL", at=Span(begin, self.at))
        raise self.unexpected(word, "MODEL", "TABLE", "THANOSQL")

    def _print(self) -> Print:
        begin = self.take_word("PRINT").start
        self._medium("PRINT")
        options = self.options()
        return Print(options, self._source(), at=Span(begin, self.at))

    def _copy(self) -> Copy:
        begin = self.take_word("COPY").start
        if self.peek().is_sign("("):
            raise self.error("expected a table", self.peek(), hint=SQL_COPY)
        table = self.name("a table")
        token = self.peek()
        if token.is_sign("(") or token.is_word("TO"):
            raise self.unexpected(token, "OPTIONS", "FROM", hint=SQL_COPY)
        options = self.options()
        self.take_word("FROM")
        token = self.peek()
        if token.is_word("STDIN", "PROGRAM"):
            raise self.error("expected a file, a folder or $name", token, hint=SQL_COPY)
        source = self.value()
        if not isinstance(source, Text | Parameter):
            raise self.error("expected a file or a folder in quotes, or $name", token)
        return Copy(table, options, source, at=Span(begin, self.at))

    def _get(self) -> GetModel:
        begin = self.take_word("GET").start
        self.take_word("THANOSQL")
        what = self.next()
        if what.is_word("DATASET"):
            raise self.error("GET THANOSQL DATASET is not supported", what, hint="COPY reads files and folders")
        if not what.is_word("MODEL"):
            raise self.unexpected(what, "MODEL")
        base = self.name("a base", slashes=True)
        options = self.options()
        name = None
        if self.peek().is_word("AS"):
            self.next()
            name = self.name("a name for the model")
        return GetModel(base, options, name, at=Span(begin, self.at))

    def _delete_model(self) -> DeleteModel:
        begin = self.take_word("DELETE").start
        self.take_word("MODEL")
        return DeleteModel(self.name("a model"), at=Span(begin, self.at))

    def _build(self) -> BuildModel:
        word = self.next()
        self.take_word("MODEL")
        name = self.name("a name for the model")
        self.take_word("USING")
        start = self.name("a base or a model")
        options = self.options()
        query = self._source()
        return BuildModel(name, start, options, query, fit=word.is_word("FIT"), at=Span(word.start, self.at))

    # --- parts -----------------------------------------------------------------------------------------------------

    def _medium(self, statement: str) -> None:
        medium = self.next()
        if medium.is_word("IMAGE"):
            return
        if medium.is_word(*MEDIA):
            raise self.error(
                f"{statement} {medium.text.upper()} is not supported", medium, hint=f"{IMAGES_ONLY}; {statement} IMAGE"
            )
        raise self.unexpected(medium, "IMAGE")

    def _source(self) -> Query:
        """`AS query` or `AS (query)`."""
        self.take_word("AS")
        return self._query()

    def _query(self) -> Query:
        begin = self.peek()
        if begin.start in self.known:
            query, self.at = self.known[begin.start]
            return query
        self._deeper()
        if begin.kind == "end" or begin.is_sign(")", ";"):
            raise self.error("expected a query after AS", begin, hint="for example: SELECT * FROM my_table")
        inner = self._in_parentheses() if begin.is_sign("(") else None
        if inner is not None:
            query = inner
        else:
            query = self._nestable() if self.begins_nestable(begin) else self._query_text(nested=True)
        self.depth -= 1
        self.known[begin.start] = query, self.at
        return query

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"expected at most {DEEPEST} statements within each other", self.peek())

    def _in_parentheses(self) -> Query | None:
        """The query in a pair of parentheses that is all there is; None, and nothing read, if more follows."""
        before = self.at
        self.next()
        inner = self._query()
        close = self.peek()
        if not close.is_sign(")"):
            raise self.error("expected )", close)
        self.next()
        after = self.peek()
        if after.kind == "end" or after.is_sign(")", ";"):
            return inner
        self.at = before
        return None

    def begins_nestable(self, token: Token) -> bool:
        """Whether a ThanoSQL statement begins here, be it with a slip in its second word."""
        seconds = SECOND_WORDS.get(token.text.upper()) if token.kind == "name" else None
        if seconds is None:
            return False
        try:
            second = self.lexer.clause(token.end)
        except SyntaxNotUnderstood:
            return False
        return second.kind == "name" and nearest(second.text, seconds, cutoff=0.75) is not None

    def nested_statement(self, at: int) -> tuple[Nestable, int]:
        """The statement that begins at `at` and ends before `)`, and where that is."""
        before, self.at = self.at, at
        self._deeper()
        statement = self._nestable()
        close = self.peek()
        if not close.is_sign(")"):
            raise self.unexpected(close, ")")
        self.depth -= 1
        self.at = before
        return statement, close.start

    def _query_text(self, *, nested: bool) -> Query:
        reader = SqlReader(self.lexer, self)
        query, self.at = reader.read(self.at, nested=nested)
        return query

    def _creates_using(self) -> bool:
        """`CREATE TABLE t USING model OPTIONS (…) FROM 'folder'`"""
        try:
            return (
                self.peek(2).is_word("TABLE")
                and self.peek(4).is_word("USING")
                and self.peek(6).is_word("OPTIONS", "FROM")
            )
        except SyntaxNotUnderstood:
            return False

    def _expect_end(self) -> None:
        token = self.peek()
        if token.is_sign(";"):
            self.next()
            after = self.peek()
            if after.kind != "end":
                raise self.error(
                    "only one statement can be given at a time", after, hint="run them one after the other"
                )
            return
        if token.kind != "end":
            raise self.unexpected(token, "the end of the statement")
