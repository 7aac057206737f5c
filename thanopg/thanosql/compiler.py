"""Tree → plan. Pure: what it must know of the database is a value, and the values of `$name` are at hand.

The user's SQL stays as it is written; each ThanoSQL statement in it becomes a SELECT in parentheses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from thanopg.thanosql.conversion import Conversion
from thanopg.thanosql.fragment import Bound, Fragment, Given, Ours, Vector, Written
from thanopg.thanosql.listing import listing
from thanopg.thanosql.options import OptionReader
from thanopg.thanosql.order import IndexForm, Names, descending_ends, index_form
from thanopg.thanosql.plan import ConvertStep, Indexed, RowsPlan
from thanopg.thanosql.registry import Model, Registry
from thanopg.thanosql.resolver import Resolver
from thanopg.thanosql.searching import DEFAULT_TOP_K, Searched, distance, index_rows, joined, plain
from thanopg.thanosql.shape import grouped, is_word
from thanopg.thanosql.tree import (
    Convert,
    Listing,
    Nested,
    Parameter,
    Query,
    Search,
    Span,
    Sql,
    Verbatim,
    Word,
)
from thanopg.thanosql.vocabulary import did_you_mean

MOST_INPUTS = 100
TAKES_PARAMETERS = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "WITH", "TABLE", "EXPLAIN")


@dataclass
class Compiler:
    """Compiles one statement."""

    statement: str
    registry: Registry
    options: OptionReader
    names: Resolver = field(init=False)
    converts: list[ConvertStep] = field(default_factory=list)
    effort: int = 0
    _searches: dict[int, Searched] = field(default_factory=dict)
    _results: dict[int, Fragment] = field(default_factory=dict)
    _aliases: dict[int, str] = field(default_factory=dict)
    """that were given to searches without one"""

    def __post_init__(self) -> None:
        self.names = Resolver(self.statement, self.registry, self.options)

    def rows(self, query: Query) -> RowsPlan:
        """A query whose rows are wanted, or any SQL."""
        sql = self.fragment(query)
        indexed = self._indexed(query) if isinstance(query, Sql) else None
        if indexed is not None:
            self.effort = max(self.effort, indexed.rows)
        return RowsPlan(
            converts=tuple(self.converts),
            sql=sql,
            indexed=indexed,
            effort=self.effort,
            searches=bool(self._searches),
            utility=isinstance(query, Sql) and self._is_utility(query),
        )

    def fragment(self, query: Query) -> Fragment:
        match query:
            case Sql():
                return self._sql(query, None)
            case Search():
                return plain(self._searched(query), self.registry)
            case Convert():
                step, rows = Conversion(self.statement, self.names, self.options).of(query, self.fragment)
                self.converts.append(step)
                return rows
            case Listing():
                return listing(query)

    # --- the user's SQL --------------------------------------------------------------------------------------------

    def _sql(self, sql: Sql, form: IndexForm | None) -> Fragment:
        if all(isinstance(piece, Verbatim) for piece in sql.pieces):
            return tuple(Written(piece.text, piece.at) for piece in sql.pieces if isinstance(piece, Verbatim))
        results = {piece.at.start: self._nested(piece) for piece in sql.pieces if isinstance(piece, Nested)}
        group = grouped(self.statement, sql)
        inserts = set(descending_ends(group, self._names(sql)))
        parts: list[Fragment] = []
        number = 0
        for piece in sql.pieces:
            match piece:
                case Verbatim():
                    parts.append(self._verbatim(piece, inserts, form))
                case Parameter():
                    self.options.parameter(piece)
                    parts.append((Bound(Given(piece.name, piece.at), piece.at),))
                case Nested():
                    result = results[piece.at.start]
                    if form is not None and piece.at == form.search.at:
                        searched = self._searches[piece.at.start]
                        rows = self._count(form.limit) + self._count(form.offset)
                        result = index_rows(searched, self.registry, form.number, rows)
                    alias = ""
                    if piece.needs_alias:
                        number += 1
                        self._aliases[piece.at.start] = self._alias(number)
                        alias = f" AS {self._alias(number)}"
                    parts.append((Ours("(\n", piece.at), *result, Ours(f"\n){alias}", piece.at)))
        return joined(parts)

    def _alias(self, number: int) -> str:
        """A name that the statement has not got."""
        name = f"thanosql_{number}"
        while name in self.statement.lower():
            name += "_"
        return name

    def _verbatim(self, piece: Verbatim, inserts: set[int], form: IndexForm | None) -> Fragment:
        """The text with NULLS LAST where it belongs, and the order by distance in the form for the index."""
        begin, end = piece.at.start, piece.at.end
        replaced = form.order if form is not None and begin <= form.order.start < end else None
        cuts = sorted(
            at for at in inserts if begin < at <= end and not (replaced and replaced.start <= at <= replaced.end)
        )
        parts: list[Fragment] = []
        at = begin
        for cut in [*cuts, None]:
            to = end if cut is None else cut
            if replaced is not None and form is not None and at <= replaced.start < to:
                parts.append(self._written(at, replaced.start))
                parts.append(self._order_by_distance(form))
                at, replaced = replaced.end, None
            parts.append(self._written(at, to))
            at = to
            if cut is not None:
                parts.append((Ours(" NULLS LAST", Span(cut, cut)),))
        return joined(parts)

    def _written(self, start: int, end: int) -> Fragment:
        return (Written(self.statement[start:end], Span(start, end)),) if end > start else ()

    def _order_by_distance(self, form: IndexForm) -> Fragment:
        searched = self._searches[form.search.at.start]
        alias = form.alias or self._aliases[form.search.at.start]
        return distance(searched, self.registry, form.number, alias)

    def _nested(self, piece: Nested) -> Fragment:
        start = piece.at.start
        if start not in self._results:
            statement = piece.statement
            if isinstance(statement, Search):
                self._searches[start] = self._searched(statement)
                self._results[start] = plain(self._searches[start], self.registry)
            else:
                self._results[start] = self.fragment(statement)
        return self._results[start]

    def _names(self, sql: Sql) -> Names:
        starts = [piece.at.start for piece in sql.pieces if isinstance(piece, Nested)]
        return {start: self._searches[start].labels for start in starts if start in self._searches}

    def _indexed(self, sql: Sql) -> Indexed | None:
        names = {start: labels for start, labels in self._names(sql).items() if not self._searches[start].sorted}
        if not names:
            return None
        form = index_form(grouped(self.statement, sql), names, self._whole)
        if form is None:
            return None
        if self._searches[form.search.at.start].bits is not None and not form.whole:
            return None  # of the candidates too few may be left
        limit, offset = self._count(form.limit), self._count(form.offset)
        if limit == 0 and not form.explains:
            return None
        self.effort = max(self.effort, limit + offset)
        return Indexed(sql=self._sql(sql, form), rows=limit, label=form.label, explains=form.explains)

    def _whole(self, parameter: Parameter) -> int | None:
        value = self.options.parameter(parameter)
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

    def _count(self, count: int | Parameter) -> int:
        return count if isinstance(count, int) else self._whole(count) or 0

    def _is_utility(self, sql: Sql) -> bool:
        first = grouped(self.statement, sql).items
        return bool(first) and any(
            is_word(item, *[word])
            for item in first[:1]
            for word in ("CREATE", "REFRESH", "DECLARE", "PREPARE", "ALTER")
        )

    # --- SEARCH ----------------------------------------------------------------------------------------------------

    def _searched(self, search: Search) -> Searched:
        model = self.names.model(search.model)
        options = self.options.read("SEARCH", search.options)
        if "table_name" in options:
            raise self.options.error(
                "SEARCH does not store its result", search.at, hint="CREATE TABLE t AS SELECT * FROM (SEARCH …)"
            )
        query = self.fragment(search.query)
        inputs = self._inputs(search)
        column = self._embedding_column(search, model, options.get("emb_col"))
        labels = self._labels(search, f"{model.name}_{model.base}", options, len(inputs))
        for label in labels:
            self.names.check_length(label, search.model.at)
        top_k = options.get("top_k", DEFAULT_TOP_K) if search.sorted else None
        if not search.sorted and "top_k" in options:
            self.options.warnings.append(
                "top_k belongs to the form with search_input and is ignored; use ORDER BY … DESC LIMIT"
            )
        self.effort = max(self.effort, top_k or 0)
        return Searched(
            query=query,
            column=column,
            vectors=tuple(Vector(search.by, value, model.name) for value in inputs),
            labels=labels,
            bits=self._bits(search, column),
            sorted=search.sorted,
            top_k=top_k,
            at=search.at,
            inputs_at=search.inputs.at,
        )

    def _labels(self, search: Search, default: str, options: Mapping[str, Any], count: int) -> tuple[str, ...]:
        named = options.get("result_col") or options.get("column_name") or ("search_result" if search.sorted else None)
        if named is None:
            return tuple(f"{default}_similarity{number}" for number in range(1, count + 1))
        return (named,) if count == 1 else tuple(f"{named}{number}" for number in range(1, count + 1))

    def _inputs(self, search: Search) -> list[str | bytes]:
        at = search.inputs.at
        if isinstance(search.inputs, Word):
            raise self.options.error(f"expected {search.by} in quotes", at, hint=f"{search.by}='{search.inputs.value}'")
        given = self.options.given(search.inputs)
        values = list(given) if isinstance(given, list | tuple) else [given]
        if not values:
            raise self.options.error("the list of inputs is empty", at)
        if len(values) > MOST_INPUTS:
            raise self.options.error(f"expected at most {MOST_INPUTS} inputs, not {len(values)}", at)
        for value in values:
            if search.by == "image" and isinstance(value, bytes | bytearray | memoryview) and len(value):
                continue
            if not isinstance(value, str):
                raise self.options.error(f"expected {search.by} as a text, not {type(value).__name__}", at)
            if not value.strip():
                raise self.options.error("the search input is empty", at, hint="describe the picture in a few words")
        return [value if isinstance(value, str) else bytes(value) for value in values]

    def _bits(self, search: Search, column: str) -> int | None:
        table = self.names.single_table_of(search.query)
        embedding = self.registry.embedding(table, column) if table is not None else None
        return embedding.bits if embedding is not None else None

    def _embedding_column(self, search: Search, model: Model, given: str | None) -> str:
        """The column that the query must show: emb_col, or {model}_{base}, or the only one that there is."""
        column = given or f"{model.name}_{model.base}"
        table = self.names.single_table_of(search.query)
        if table is None or column in table.columns:
            return column
        if given is not None:
            if given.lower() in table.columns:
                return given.lower()
            at = next(option.value.at for option in search.options if option.key == "emb_col")
            raise self.options.error(
                f"table {table.name} has no column {given}", at, hint=did_you_mean(given, table.columns, what="columns")
            )
        there = self.registry.vectors_of(table, model.name)
        if len(there) == 1:
            return there[0].column
        raise self.options.error(
            f"table {table.name} has no column {column}",
            search.model.at,
            hint=f"first: CONVERT USING {model.name} OPTIONS(table_name='{table.name}', image_col='…') "
            f"AS SELECT * FROM {table.name}",
        )
