"""What must happen to a table's embedding columns: declared ones on one side, registered ones on the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from thanopg.sqlalchemy.declaration import Embedding

BUILT_SOMETIME = ("now", "later")
"""what `auto` becomes when the column is added; which of the two it was is nothing that a model declares"""
ANEW = "every row is embedded anew"

Columns = Mapping[str, Embedding]


@dataclass(frozen=True)
class Difference:
    dropped: tuple[str, ...]
    """in an order in which each can go: what follows a caption before the caption; the last that came first"""
    added: tuple[str, ...]
    """in an order in which each can come: the other way round"""
    replaced: frozenset[str]
    """those that are in both"""
    index: tuple[str, ...]
    """columns that stay and only get another index policy"""


def difference(declared: Columns, present: Columns) -> Difference:
    both = [name for name in declared if name in present]
    changed = {name: changes(present[name], declared[name]) for name in both}
    replaced = {name for name in both if set(changed[name]) - {"index"}}
    gone = replaced | {name for name in present if name not in declared}
    while following := {name for name in both if name not in gone and declared[name].source in gone}:
        gone |= following
        replaced |= following
    going = [name for name in present if name in gone]
    coming = [name for name in declared if name not in present or name in gone]
    return Difference(
        dropped=tuple(sorted(going, key=depth_in(present))[::-1]),
        added=tuple(sorted(coming, key=depth_in(declared))),
        replaced=frozenset(replaced),
        index=tuple(name for name in both if changed[name] and name not in replaced),
    )


def depth_in(columns: Columns) -> Callable[[str], int]:
    """How many columns a column is made from, one after the other, that are embedding columns themselves."""

    def depth(name: str, seen: frozenset[str] = frozenset()) -> int:
        source = columns[name].source
        return 0 if source not in columns or source in seen else 1 + depth(source, seen | {name})

    return depth


def changes(before: Embedding, after: Embedding) -> list[str]:
    """Names of what differs."""
    return [
        field.name
        for field in fields(Embedding)
        if getattr(before, field.name) != getattr(after, field.name)
        and not (field.name == "index" and same_index(before.index, after.index))
    ]


def same_index(one: str, other: str) -> bool:
    return one == other or ("auto" in (one, other) and {one, other} <= {"auto", *BUILT_SOMETIME})


def reason(name: str, before: Embedding, after: Embedding) -> str:
    """Why a column is dropped and added, in one line for the migration's reader."""
    said = [
        f"{field.replace('_', ' ')} {getattr(before, field)!r} becomes {getattr(after, field)!r}"
        for field in changes(before, after)
        if field != "index"
    ]
    what = ", ".join(said) or f"{after.source}, which it is made from, is written anew"
    return f"{name}: {what}; {ANEW}"
