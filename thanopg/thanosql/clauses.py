"""The small parts that ThanoSQL's statements share: names, values, OPTIONS (…), and what is said when one lacks."""

from __future__ import annotations

from thanopg.errors import SyntaxNotUnderstood
from thanopg.thanosql.lexer import Lexer, Token, value_of
from thanopg.thanosql.tree import Listed, Name, Number, Option, Parameter, Span, Text, Value, Word
from thanopg.thanosql.vocabulary import IMAGES_ONLY, KEYWORDS, nearest

MOST_DIGITS = 300


class ClauseReader:
    """Takes tokens one after the other; `self.at` is the place that is read next."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.at = 0

    # --- tokens ----------------------------------------------------------------------------------------------------

    def peek(self, number: int = 1) -> Token:
        """The first token from here, or a later one."""
        token = self.lexer.clause(self.at)
        for _ in range(number - 1):
            token = self.lexer.clause(token.end)
        return token

    def next(self) -> Token:
        token = self.peek()
        self.at = token.end
        return token

    def take_word(self, word: str) -> Token:
        token = self.peek()
        if not token.is_word(word):
            raise self.unexpected(token, word)
        return self.next()

    def take_sign(self, sign: str) -> Token:
        token = self.peek()
        if not token.is_sign(sign):
            raise self.unexpected(token, sign)
        return self.next()

    # --- errors ----------------------------------------------------------------------------------------------------

    def error(self, message: str, token: Token, *, hint: str = "") -> SyntaxNotUnderstood:
        return self.lexer.error(message, token.start, max(1, token.end - token.start), hint=hint)

    def error_at(self, message: str, at: Span, *, hint: str = "") -> SyntaxNotUnderstood:
        return self.lexer.error(message, at.start, max(1, at.end - at.start), hint=hint)

    def unexpected(self, token: Token, *expected: str, hint: str = "") -> SyntaxNotUnderstood:
        found = "the end" if token.kind == "end" else token.text if len(token.text) <= 40 else token.text[:40] + "…"
        if token.kind == "name" and not hint:
            near = nearest(token.text, (*expected, *KEYWORDS), cutoff=0.7)
            hint = f"did you mean {near}?" if near and near.upper() != token.text.upper() else ""
        return self.error(f"expected {' or '.join(expected)}, not {found}", token, hint=hint)

    # --- names and values ------------------------------------------------------------------------------------------

    def name(self, what: str, *, slashes: bool = False) -> Name:
        """`name`, `schema.name`, each part possibly in quotes. With `slashes` also a source: `ViT-B-32/openai`."""
        begin = self.peek()
        parts = [self._part(what)]
        if slashes:
            return self._source_name(begin, parts[0])
        while self.peek().is_sign("."):
            self.next()
            parts.append(self._part(what))
        if len(parts) > 3:
            raise self.error_at("expected at most catalog.schema.name", Span(begin.start, self.at))
        return Name(tuple(parts), at=Span(begin.start, self.at))

    def _part(self, what: str) -> str:
        token = self.peek()
        if token.kind == "name" and not token.is_word("USING", "OPTIONS", "AS", "FROM"):
            return self.next().text.lower()
        if token.kind == "string" and value_of(token.text).strip("\0"):
            return value_of(self.next().text)
        raise self.unexpected(token, what)

    def _source_name(self, begin: Token, first: str) -> Name:
        """Signs that stand close together belong to one source: `hf-hub:timm/ViT-B-16`."""
        if begin.kind == "string":
            return Name((first,), at=Span(begin.start, self.at))
        text = self.lexer.statement
        while self.at < len(text) and not text[self.at].isspace() and text[self.at] not in "();,'\"":
            self.at += 1
        written = text[begin.start : self.at]
        return Name((written.lower() if written.isidentifier() else written,), at=Span(begin.start, self.at))

    def value(self) -> Value:
        token = self.peek()
        if not token.is_sign("["):
            return self._single()
        self.next()
        items: list[Text | Number | Word | Parameter] = []
        while not self.peek().is_sign("]"):
            items.append(self._single())
            if not self.peek().is_sign("]"):
                if not self.peek().is_sign(","):
                    raise self.unexpected(self.peek(), ",", "]")
                self.next()
        self.next()
        return Listed(tuple(items), at=Span(token.start, self.at))

    def _single(self) -> Text | Number | Word | Parameter:
        token = self.next()
        at = Span(token.start, self.at)
        if token.kind == "string":
            text = value_of(token.text)
            if "\0" in text:
                raise self.error("a text can't have the sign with number 0 in it", token)
            return Text(text, at=at)
        if token.kind == "parameter":
            if token.text[1].isdigit():
                raise self.error("expected $name, not a number", token)
            return Parameter(token.text[1:], at=at)
        if token.kind == "name":
            if self.peek().is_sign("."):
                self.at = token.start
                return self._dotted()
            return Word(token.text, at=at)
        if token.is_sign("-", "+") or token.kind == "number":
            return self._number(token)
        raise self.unexpected(token, "a text in quotes", "a number", "a name", "$name")

    def _dotted(self) -> Word:
        begin = self.peek().start
        name = self.name("a name")
        return Word(".".join(name.parts), at=Span(begin, self.at))

    def _number(self, token: Token) -> Number:
        digits = self.next() if token.kind == "sign" else token
        text = digits.text.replace("_", "") if digits.kind == "number" else ""
        if not text or len(text) > MOST_DIGITS:
            raise self.unexpected(digits, "a number")
        try:
            number = int(text) if text.isdecimal() else float(text)
        except ValueError as error:
            raise self.unexpected(digits, "a decimal number") from error
        if number != number or number in (float("inf"), float("-inf")):
            raise self.unexpected(digits, "a number")
        return Number(-number if token.text == "-" else number, at=Span(token.start, self.at))

    # --- OPTIONS (…) -----------------------------------------------------------------------------------------------

    def options(self) -> tuple[Option, ...]:
        """`OPTIONS (key=value, …)` if it is here. Keys are checked later: an unknown one is only worth a warning."""
        if not self.peek().is_word("OPTIONS"):
            return ()
        self.next()
        self.take_sign("(")
        options: dict[str, Option] = {}
        while not self.peek().is_sign(")"):
            token = self.next()
            if token.kind != "name":
                raise self.unexpected(token, "the name of an option")
            key = token.text.lower()
            if key in options:
                raise self.error(f"option {key} is given twice", token)
            self.take_sign("=")
            options[key] = Option(key, self.value(), at=Span(token.start, self.at))
            if not self.peek().is_sign(")"):
                if not self.peek().is_sign(","):
                    raise self.unexpected(self.peek(), ",", ")")
                self.next()
        self.next()
        return tuple(options.values())

    def search_options(self, at: Span, options: tuple[Option, ...]) -> tuple[str, Value, tuple[Option, ...]]:
        """The later form of SEARCH: what is searched by, the input, and the other options."""
        given = {option.key: option for option in options}
        if "search_input" not in given:
            raise self.error_at(
                "the search input is missing",
                at,
                hint="SEARCH IMAGE text='a cat' USING …, or OPTIONS(search_by='text', search_input='a cat')",
            )
        by = "text"
        if "search_by" in given:
            value = given["search_by"].value
            by = value.value.lower() if isinstance(value, Text | Word) else ""
            if by in ("audio", "video"):
                raise self.error_at(
                    f"search_by={by} is not supported", value.at, hint=f"{IMAGES_ONLY}, by text or image"
                )
            if by not in ("text", "image"):
                raise self.error_at("search_by is text or image", value.at)
        rest = tuple(option for option in options if option.key not in ("search_by", "search_input"))
        return by, given["search_input"].value, rest
