"""SEARCH IMAGE → a SELECT: the columns of its query and one similarity for each input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thanopg.thanosql.fragment import Bound, Fragment, Ours, Vector, quoted
from thanopg.thanosql.registry import Registry
from thanopg.thanosql.tree import Span

ROWS = "thanosql"
"""alias of the query within a search"""
NEAR, EVERY = "thanosql_near", "thanosql_every"
DEFAULT_TOP_K = 1000


@dataclass(frozen=True, kw_only=True)
class Searched:
    """A search whose names are known."""

    query: Fragment
    column: str
    vectors: tuple[Vector, ...]
    labels: tuple[str, ...]
    """of the similarity columns"""
    bits: int | None
    """of the column's binary index, if it has one"""
    sorted: bool
    top_k: int | None
    """of the sorted form"""
    at: Span
    inputs_at: Span


def plain(searched: Searched, registry: Registry) -> Fragment:
    """All rows, in no order; of the sorted form the best ones, best first."""
    if not searched.sorted:
        return _select(searched, registry)
    order = (
        Ours("\nORDER BY ", searched.at),
        *_similarity(searched, registry, 0),
        Ours(" DESC NULLS LAST", searched.at),
    )
    if searched.top_k is None:
        return (*_select(searched, registry), *order)
    return _gated(searched, registry, order)


def index_rows(searched: Searched, registry: Registry, number: int, rows: int) -> Fragment:
    """What an index by distance is to put in order, to find so many rows: of a binary index the candidates."""
    if searched.bits is None:
        return with_similarity(searched, registry, number)
    column = f"{ROWS}.{quoted(searched.column)}"
    order = f"\nORDER BY ({registry.signs(column, searched.bits)}) {registry.sign_distance} "
    before, after = registry.signs("|", searched.bits).split("|")
    return (
        *with_similarity(searched, registry, number),
        Ours(f"{order}({before}", searched.at),
        _vector(searched, number),
        Ours(f"::{registry.vector_type}{after})\nLIMIT thanopg.candidates({rows})", searched.at),
    )


def with_similarity(searched: Searched, registry: Registry, number: int) -> Fragment:
    """Only the rows that have this similarity, in no order."""
    condition = (
        Ours("\nWHERE ", searched.at),
        *_similarity(searched, registry, number),
        Ours(" IS NOT NULL", searched.at),
    )
    return (*_select(searched, registry), *condition)


def distance(searched: Searched, registry: Registry, number: int, alias: str) -> Fragment:
    """What an index is ordered by: small is near."""
    written = f"{quoted(alias)}.{quoted(searched.column)} {registry.distance} "
    return (Ours(written, searched.at), _vector(searched, number), Ours(f"::{registry.vector_type}", searched.at))


def _select(searched: Searched, registry: Registry) -> Fragment:
    at = searched.at
    parts: list[Fragment] = [(Ours(f"SELECT {ROWS}.*", at),)]
    for number, label in enumerate(searched.labels):
        parts.append((Ours(", ", at), *_similarity(searched, registry, number), Ours(f" AS {quoted(label)}", at)))
    parts.append((Ours(" FROM (\n", at), *searched.query, Ours(f"\n) AS {ROWS}", at)))
    return joined(parts)


def _similarity(searched: Searched, registry: Registry, number: int) -> Fragment:
    """1 - distance. A vector without length has no direction: its similarity is not known, rather than NaN."""
    return (
        Ours("nullif(1 - (", searched.at),
        *distance(searched, registry, number, ROWS),
        Ours("), 'NaN')", searched.at),
    )


def _vector(searched: Searched, number: int) -> Bound:
    return Bound(searched.vectors[number], searched.inputs_at)


def _gated(searched: Searched, registry: Registry, order: Fragment) -> Fragment:
    """The best rows by the index, or, if it does not find enough of them, by looking at all."""
    at, k = searched.at, searched.top_k or 0
    label = quoted(searched.labels[0])
    return joined(
        [
            (Ours(f"SELECT * FROM (\nWITH {NEAR} AS MATERIALIZED (\n", at),),
            _ranked(searched, registry, k),
            (Ours("\nORDER BY ", at), *distance(searched, registry, 0, ROWS), Ours(f"\nLIMIT {k}\n)\n", at)),
            (Ours(f"SELECT * FROM {NEAR} WHERE (SELECT count(*) FROM {NEAR}) = {k}\nUNION ALL\n", at),),
            (Ours("SELECT * FROM (\n", at),),
            _select(searched, registry),
            (Ours(f"\nWHERE (SELECT count(*) FROM {NEAR}) < {k}", at), *order, Ours(f"\nLIMIT {k}\n) AS {EVERY}", at)),
            (Ours(f"\n) AS {ROWS}\nORDER BY {label} DESC NULLS LAST", at),),
        ]
    )


def _ranked(searched: Searched, registry: Registry, rows: int) -> Fragment:
    """To be put in order by distance."""
    found = index_rows(searched, registry, 0, rows)
    if searched.bits is None:
        return found
    return (Ours("SELECT * FROM (\n", searched.at), *found, Ours(f"\n) AS {ROWS}", searched.at))


def joined(fragments: Sequence[Fragment]) -> Fragment:
    return tuple(part for fragment in fragments for part in fragment)
