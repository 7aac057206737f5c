"""What a query reads, as far as its text says so plainly: the one table, and whether it shows a column."""

from __future__ import annotations

from collections.abc import Sequence

from thanopg.thanosql.shape import Item, clauses, grouped, is_sign, is_word, name_of, output_columns
from thanopg.thanosql.sqltext import AFTER_FROM_ITEM, SET_OPERATIONS
from thanopg.thanosql.tree import Query, Sql


def single_table(statement: str, query: Query) -> tuple[str, ...] | None:
    """`SELECT … FROM [schema.]table [AS alias] …` without joins → the table's name."""
    if not isinstance(query, Sql):
        return None
    parts = clauses(grouped(statement, query).items)
    words = [word for word, _ in parts]
    if words[:3] != ["", "SELECT", "FROM"] or parts[0][1] or set(words) & {*SET_OPERATIONS, "GROUP", "INTO"}:
        return None
    return _one_name(parts[2][1])


def _one_name(items: Sequence[Item]) -> tuple[str, ...] | None:
    rest = list(items)
    if rest and is_word(rest[0], "ONLY"):
        rest.pop(0)
    names: list[str] = []
    while rest and (name := name_of(rest[0])) is not None:
        names.append(name)
        rest.pop(0)
        if not rest or not is_sign(rest[0], "."):
            break
        rest.pop(0)
    if rest and is_word(rest[0], "AS"):
        rest.pop(0)
    alone = not rest or (len(rest) == 1 and name_of(rest[0]) is not None and not is_word(rest[0], *AFTER_FROM_ITEM))
    return tuple(names) if names and alone else None


def shows_column(statement: str, query: Query, column: str) -> bool:
    """Whether the text of the query says that `column` is in its output: by `*` or by name."""
    if not isinstance(query, Sql):
        return False
    for word, items in clauses(grouped(statement, query).items):
        if word == "SELECT":
            return any(shown.is_star or shown.label == column for shown in output_columns(items))
    return False
