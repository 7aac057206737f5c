"""What Tab offers: the words that can stand where the cursor is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from thanopg.thanosql.session import Vocabulary

WORD = re.compile(r"[^\W\d]\w*\Z")
TOKEN = re.compile(r"[^\W\d]\w*|[(),=]")
LITERAL = re.compile(r"'(?:[^'\\]|\\.)*'|--[^\n]*")
OPEN_LITERAL = re.compile(r"'(?:[^'\\]|\\.)*\Z")
TABLES_FOLLOW = frozenset({"FROM", "JOIN", "COPY", "INTO", "UPDATE", "TABLE"})
SQL = (
    "SELECT", "WHERE", "ORDER BY", "GROUP BY", "LIMIT", "OFFSET", "DESC", "ASC", "AND", "OR", "NOT", "IS NULL", "JOIN",
    "ON", "CREATE TABLE", "DROP TABLE", "INSERT INTO", "UPDATE", "DELETE FROM", "SET", "VALUES", "COUNT", "DISTINCT",
)  # fmt: skip


class Words(Completer):
    def __init__(self, vocabulary: Callable[[], Vocabulary]) -> None:
        self._vocabulary = vocabulary

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = LITERAL.sub("''", document.text_before_cursor)
        word = found[0] if (found := WORD.search(before)) else ""
        if OPEN_LITERAL.search(before) or (not word and not complete_event.completion_requested):
            return
        for text, kind in offered(before[: len(before) - len(word)], self._vocabulary()):
            if text.lower().startswith(word.lower()) and text != word:
                yield Completion(text, start_position=-len(word), display_meta=kind)


def offered(before: str, known: Vocabulary) -> Iterable[tuple[str, str]]:
    """Words and what they are, for the place behind `before`."""
    tokens = TOKEN.findall(before.upper())
    last = tokens[-1] if tokens else ""
    option = _open_option(tokens)
    if option == "":
        return _each("option", known.options)
    if option in ("IMAGE_COL", "TEXT_COL", "EMB_COL"):
        return _each("column", known.columns)
    if option == "TABLE_NAME" or last in TABLES_FOLLOW:
        return _each("table", known.tables)
    if last == "USING":
        return [*_each("model", known.models), *_each("base", known.bases)]
    if last == "MODEL":
        return [*_each("model", known.models), *_each("base", known.bases)]
    return [
        *_each("", dict.fromkeys((*known.keywords, *SQL))),
        *_each("column", known.columns),
        *_each("table", known.tables),
    ]


def _open_option(tokens: list[str]) -> str | None:
    """Within OPTIONS( … : the option whose value comes now, or "" where a name comes; None elsewhere."""
    if "OPTIONS" not in tokens:
        return None
    behind = tokens[len(tokens) - tokens[::-1].index("OPTIONS") :]
    if behind[:1] != ["("] or ")" in behind:
        return None
    return tokens[-2] if tokens[-1] == "=" else ""


def _each(kind: str, words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, kind) for word in words]
