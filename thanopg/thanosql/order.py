"""ORDER BY over similarities: NULLS LAST where the user leaves it open, and the form that a vector index can serve.

A picture that can't be read has no similarity. PostgreSQL sorts NULL first in a descending order, so such rows would
lead every search; `descending_ends` finds the places where NULLS LAST belongs.

`index_form` finds the one shape that is rewritten for the index. With R the rows of the search, it is a SELECT that
 1. treats each row of R by itself: R is joined by CROSS, INNER or LEFT joins, not on a side that is filled with NULLs;
    there is no DISTINCT, GROUP BY, HAVING, window, set operation, row lock or WITH;
 2. sorts first by one similarity of R, descending, NULLs last;
 3. has LIMIT k and perhaps OFFSET o as whole numbers.
Then its result is a stretch of one sequence: the joined rows of R that have a similarity, by distance and by whatever
else the ORDER BY says, and after them those that have none. Leaving out the latter rows of R changes nothing if k rows
come out all the same. So: without them, ordered by `column <=> vector`, which orders exactly as the similarity does
(pgvector computes d = 1 - s in doubles with |s| <= 1, and for each such d, 1 - d is exact); if fewer than k rows come,
the plain form is run instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from thanopg.thanosql.lexer import Token
from thanopg.thanosql.shape import (
    Group,
    Item,
    OutputColumn,
    alias_after,
    clauses,
    is_sign,
    is_word,
    name_of,
    nested_in,
    output_columns,
    split,
    words_in,
)
from thanopg.thanosql.sqltext import SET_OPERATIONS
from thanopg.thanosql.tree import Nested, Parameter, Span

Names = Mapping[int, tuple[str, ...]]
"""the similarity columns of each search, by where it begins"""
REFUSED = (*SET_OPERATIONS, "GROUP", "HAVING", "WINDOW", "FETCH", "FOR", "INTO")


@dataclass(frozen=True)
class IndexForm:
    search: Nested
    number: int
    """which of its similarities, from 0"""
    alias: str | None
    """of the search; None: the one that it is given"""
    order: Span
    """the first item of ORDER BY, to be replaced"""
    label: str | None
    """the output column that shows this similarity, if there is one"""
    limit: int | Parameter
    offset: int | Parameter
    explains: bool
    """EXPLAIN: the plan is the result"""
    whole: bool
    """every row of the search is a row of the result: nothing is joined, no condition drops any"""


def descending_ends(group: Group, names: Names, outer: frozenset[tuple[str | None, str]] = frozenset()) -> list[int]:
    """Where NULLS LAST is to be inserted. `outer`: (alias, column) of similarities that are visible around `group`."""
    ends: list[int] = []
    visible = outer | _visible(group.items, names)
    for item in group.items:
        if isinstance(item, Group):
            ends += descending_ends(item, names, visible)
    columns: list[OutputColumn] = []
    for word, items in clauses(group.items):
        if word == "SELECT" and not columns:
            columns = output_columns(_without_distinct(items))
        if word != "ORDER" or not items or not is_word(items[0], "BY"):
            continue
        for order in split(_order_items(items[1:])):
            if order and is_word(order[-1], "DESC") and _mentions(order[:-1], visible, columns):
                last = order[-1]
                assert isinstance(last, Token)
                ends.append(last.end)
    return ends


def _order_items(items: Sequence[Item]) -> list[Item]:
    """In a window the frame follows: ROWS, RANGE, GROUPS."""
    for position, item in enumerate(items):
        if position and not is_sign(items[position - 1], ",") and is_word(item, "ROWS", "RANGE", "GROUPS"):
            return list(items[:position])
    return list(items)


def _visible(items: Sequence[Item], names: Names) -> frozenset[tuple[str | None, str]]:
    found: set[tuple[str | None, str]] = set()
    for position, item in enumerate(items):
        inner = [item] if isinstance(item, Nested) else list(nested_in(item.items)) if isinstance(item, Group) else []
        alias = alias_after(items, position) if inner else None
        for nested in inner:
            for name in names.get(nested.at.start, ()):
                found |= {(None, name), (alias, name)}
    return frozenset(found)


def _mentions(
    items: Sequence[Item],
    visible: frozenset[tuple[str | None, str]],
    columns: Sequence[OutputColumn],
    *,
    deep: bool = True,
) -> bool:
    tokens = list(words_in(items))
    for position, token in enumerate(tokens):
        name = name_of(token)
        if name is None:
            continue
        qualified = position > 1 and is_sign(tokens[position - 1], ".")
        if ((name_of(tokens[position - 2]) if qualified else None), name) in visible:
            return True
        if deep and not qualified:
            for column in columns:
                if column.label == name and _mentions(column.expression, visible, (), deep=False):
                    return True
    if deep and len(tokens) == 1 and len(items) == 1 and tokens[0].kind == "number" and tokens[0].text.isdecimal():
        number = int(tokens[0].text)
        before = columns[: number - 1]
        if 0 < number <= len(columns) and not any(column.is_star for column in before):
            return _mentions(columns[number - 1].expression, visible, (), deep=False)
    return False


def _without_distinct(items: Sequence[Item]) -> list[Item]:
    kept = list(items)
    if kept and is_word(kept[0], "DISTINCT"):
        kept.pop(0)
        if len(kept) > 1 and is_word(kept[0], "ON") and isinstance(kept[1], Group):
            del kept[:2]
    return kept


# --- the form for the index ----------------------------------------------------------------------------------------


def index_form(group: Group, names: Names, whole: Callable[[Parameter], int | None]) -> IndexForm | None:
    """None: leave the statement as it is. `whole` tells the value of a parameter that is a whole number."""
    if any(token.is_word("OVER") for token in words_in(group.items)):
        return None
    parts = clauses(group.items)
    if [word for word, _ in parts if word in REFUSED]:
        return None
    by_word = dict(parts)
    if len(by_word) != len(parts) or not {"SELECT", "FROM", "ORDER", "LIMIT"} <= set(by_word):
        return None
    prefix, select_list, order = by_word[""], by_word["SELECT"], by_word["ORDER"]
    explains = bool(prefix) and is_word(prefix[0], "EXPLAIN")
    if (prefix and not explains) or not select_list or is_word(select_list[0], "DISTINCT"):
        return None
    limit, offset = _count(by_word["LIMIT"], whole), _count(by_word.get("OFFSET", []), whole, default=0)
    if limit is None or offset is None or not order or not is_word(order[0], "BY"):
        return None
    columns = output_columns(select_list)
    for nested, alias, alone in _searches(by_word["FROM"]):
        for number, name in enumerate(names.get(nested.at.start, ())):
            label = _sorted_by(order[1:], name, alias, columns, alone=alone)
            if label is not None:
                span = _first_order_item(order[1:])
                return IndexForm(
                    search=nested,
                    number=number,
                    alias=alias,
                    order=span,
                    label=label or None,
                    limit=limit,
                    offset=offset,
                    explains=explains,
                    whole=alone and "WHERE" not in by_word,
                )
    return None


def _count(
    items: Sequence[Item], whole: Callable[[Parameter], int | None], default: int | None = None
) -> int | Parameter | None:
    kept = [item for item in items if not is_word(item, "ROW", "ROWS")]
    if not items:
        return default
    if len(kept) != 1:
        return None
    item = kept[0]
    if isinstance(item, Parameter):
        return item if whole(item) is not None else None
    if isinstance(item, Token) and item.kind == "number" and item.text.isdecimal() and len(item.text) < 10:
        return int(item.text)
    return None


def _searches(items: Sequence[Item]) -> list[tuple[Nested, str | None, bool]]:
    """Searches in FROM whose rows the joins treat one by one: (search, alias, whether it is all of FROM)."""
    words = [item.text.upper() for item in items if isinstance(item, Token) and item.kind == "name"]
    if "RIGHT" in words or "FULL" in words:
        return []
    found: list[tuple[Nested, str | None, bool]] = []
    for position, item in enumerate(items):
        if is_word(item, "LEFT", "TABLESAMPLE"):
            break  # what follows may be filled with NULLs
        if not isinstance(item, Nested):
            continue
        alias = alias_after(items, position)
        used = position + 1 + (0 if alias is None else 2 if is_word(items[position + 1], "AS") else 1)
        following = items[used] if used < len(items) else None
        if isinstance(following, Group) or (following is not None and is_sign(following, ".")):
            continue  # its columns are renamed
        found.append((item, alias, len(items) == used))
    return found


def _sorted_by(
    order: Sequence[Item], name: str, alias: str | None, columns: Sequence[OutputColumn], *, alone: bool
) -> str | None:
    """Whether the order is by this similarity first: its label in the output, or empty if it has none; else None."""
    first = split(order)[0]
    if len(first) > 2 and is_word(first[-2], "NULLS") and is_word(first[-1], "LAST"):
        first = first[:-2]
    if len(first) < 2 or not is_word(first[-1], "DESC"):
        return None
    key = tuple(first[:-1])
    shown = [column for column in columns if _is_similarity(column.expression, name, alias)]
    stars = [column for column in columns if column.is_star]
    own = next((column.label for column in shown if column.label), "")
    if len(key) == 3:  # alias.column is always a column of FROM
        return own if alias is not None and _is_similarity(key, name, alias) else None
    if len(key) != 1 or not isinstance(key[0], Token):
        return None
    token = key[0]
    if token.kind == "number":
        number = int(token.text) if token.text.isdecimal() else 0
        if not 0 < number <= len(columns) or any(column in stars for column in columns[:number]):
            return None
        return own if columns[number - 1] in shown else None
    if any(_occurs(column, name_of(token)) for column in columns if column not in shown):
        return None  # the order may be by something else of that name
    labelled = [column for column in shown if column.label == name_of(token)]
    if name_of(token) == name:
        return (name if stars or labelled else own) if alone or (labelled and not stars) else None
    return name_of(token) if len(labelled) == 1 and not stars else None


def _occurs(column: OutputColumn, name: str | None) -> bool:
    return any(name_of(token) == name for token in words_in(column.items))


def _is_similarity(expression: Sequence[Item], name: str, alias: str | None) -> bool:
    match [item if is_sign(item, ".") else name_of(item) for item in expression]:
        case [column]:
            return column == name
        case [qualifier, Token(), column]:
            return alias is not None and (qualifier, column) == (alias, name)
    return False


def _first_order_item(order: Sequence[Item]) -> Span:
    tokens = [item for item in split(order)[0] if isinstance(item, Token)]
    return Span(tokens[0].start, tokens[-1].end)
