"""The shape of the user's SQL: parentheses within parentheses, and the clauses of a SELECT. Nothing more is understood.

PostgreSQL reserves the words that begin a clause: outside of parentheses they can only be a clause, a label behind AS,
or a column behind a point. So looking at words is enough here, and what is not recognised is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from thanopg.thanosql.lexer import Lexer, Token
from thanopg.thanosql.sqltext import AFTER_FROM_ITEM, SELECT_CLAUSES, SET_OPERATIONS
from thanopg.thanosql.tree import Nested, Parameter, Sql, Verbatim


@dataclass
class Group:
    """What stands between two parentheses, or the whole."""

    items: list[Item] = field(default_factory=list)


Item = Token | Group | Nested | Parameter

CLAUSE_WORDS = frozenset((*SELECT_CLAUSES, *SET_OPERATIONS, "INTO"))


def grouped(statement: str, sql: Sql) -> Group:
    lexer = Lexer(statement)
    stack = [Group()]
    for piece in sql.pieces:
        if not isinstance(piece, Verbatim):
            stack[-1].items.append(piece)
            continue
        at = piece.at.start
        while (token := lexer.sql(at)).kind != "end" and token.start < piece.at.end:
            at = token.end
            if token.is_sign("("):
                stack.append(Group())
            elif token.is_sign(")") and len(stack) > 1:
                inner = stack.pop()
                stack[-1].items.append(inner)
            else:
                stack[-1].items.append(token)
    while len(stack) > 1:
        inner = stack.pop()
        stack[-1].items.append(inner)
    return stack[0]


def is_word(item: Item, *words: str) -> bool:
    return isinstance(item, Token) and item.is_word(*words)


def is_sign(item: Item, *signs: str) -> bool:
    return isinstance(item, Token) and item.is_sign(*signs)


def is_sign_of_any_kind(item: Item) -> bool:
    return isinstance(item, Token) and item.kind == "sign"


def name_of(item: Item) -> str | None:
    return item.name if isinstance(item, Token) and item.kind in ("name", "quoted") else None


def clauses(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Each clause by the word that begins it, in order; what stands before the first is under an empty word."""
    found: list[tuple[str, list[Item]]] = [("", [])]
    before: Item | None = None
    for item in items:
        begins = isinstance(item, Token) and item.is_word(*CLAUSE_WORDS)
        is_label = before is not None and (is_sign(before, ".") or is_word(before, "AS"))
        is_distinct_from = before is not None and is_word(before, "DISTINCT") and is_word(item, "FROM")
        if begins and not is_label and not is_distinct_from:
            assert isinstance(item, Token)
            found.append((item.text.upper(), []))
        else:
            found[-1][1].append(item)
        before = item
    return found


def split(items: Sequence[Item]) -> list[list[Item]]:
    """At commas."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if is_sign(item, ","):
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def nested_in(items: Sequence[Item]) -> Iterator[Nested]:
    """However deep within parentheses."""
    for item in items:
        if isinstance(item, Nested):
            yield item
        elif isinstance(item, Group):
            yield from nested_in(item.items)


def words_in(items: Sequence[Item]) -> Iterator[Token]:
    for item in items:
        if isinstance(item, Token):
            yield item
        elif isinstance(item, Group):
            yield from words_in(item.items)


def alias_after(items: Sequence[Item], position: int) -> str | None:
    """The alias of the FROM item that ends at `position`."""
    following = list(items[position + 1 : position + 3])
    if following and is_word(following[0], "AS"):
        following.pop(0)
    if not following:
        return None
    token = following[0]
    if isinstance(token, Token) and token.kind == "name" and token.text.upper() in AFTER_FROM_ITEM:
        return None
    return name_of(token)


@dataclass(frozen=True)
class OutputColumn:
    """One item of a select list."""

    items: tuple[Item, ...]
    label: str | None
    """what it is called: a label, or the column it shows; None: not known from the text"""

    @property
    def is_star(self) -> bool:
        return bool(self.items) and is_sign(self.items[-1], "*") and len(self.items) in (1, 3, 5)

    @property
    def expression(self) -> tuple[Item, ...]:
        """Without its label."""
        return self.items[: self._label_at()]

    def _label_at(self) -> int:
        items = self.items
        if len(items) > 2 and is_word(items[-2], "AS"):
            return len(items) - 2
        before = items[-2] if len(items) > 1 else None
        if (
            before is not None
            and name_of(items[-1]) is not None
            and (not is_sign_of_any_kind(before) or is_sign(before, "]"))
        ):
            return len(items) - 1
        return len(items)


def output_columns(select_list: Sequence[Item]) -> list[OutputColumn]:
    """Of the items after SELECT [ALL]."""
    items = list(select_list)
    if items and is_word(items[0], "ALL"):
        items.pop(0)
    return [OutputColumn(tuple(part), name_of(part[-1]) if part else None) for part in split(items)]
