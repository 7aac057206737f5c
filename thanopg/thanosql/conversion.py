"""CONVERT → what is to be done for it, and a SELECT of its rows.

A statement says what it wants as the dialect's later versions do: convert_type='text' with text_col (else images), and,
as GENERATE has it, task='caption' for words instead of vectors, with language, prompt and attributes_col. Where it says
nothing, a model is used for what it can do: vectors of images, else captions, else vectors of texts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from thanopg.thanosql.fragment import Fragment, Ours, quoted, quoted_path
from thanopg.thanosql.options import OptionReader
from thanopg.thanosql.plan import ConvertStep
from thanopg.thanosql.registry import Kind, Model, TableInfo
from thanopg.thanosql.resolver import Resolver
from thanopg.thanosql.source import shows_column
from thanopg.thanosql.tree import Convert, Query, Span

CANNOT: Mapping[Kind, str] = {
    "image": "makes no vectors of images",
    "caption": "writes no captions",
    "text": "makes no vectors of texts",
}
OF_CAPTIONS = ("language", "prompt", "attributes_col")


@dataclass
class Conversion:
    """Reads the CONVERT statements of one statement."""

    statement: str
    names: Resolver
    options: OptionReader

    def of(self, convert: Convert, compiled: Callable[[Query], Fragment]) -> tuple[ConvertStep, Fragment]:
        given = self.options.read("CONVERT", convert.options)
        model = self.names.model(convert.model)
        kind = self._kind(convert, given, model)
        query = compiled(convert.query)
        key, default = ("text_col", "text") if kind == "text" else ("image_col", "image_path")
        column_at = self._place(convert, key, convert.model.at)
        made_from = given.get(key, default)
        source = self.names.single_table_of(convert.query)
        if source is not None:
            made_from = self.names.column_of(source, made_from, column_at)
        column = given.get("result_col") or given.get("column_name") or default_column(kind, model, made_from)
        attributes = given.get("attributes_col") if kind == "caption" else None
        for name in filter(None, (column, attributes)):
            self.names.check_length(name, convert.model.at)
        table, existing = self._target(convert, given.get("table_name"), source)
        here = source is not None and existing == source and source.is_table
        step = ConvertStep(
            kind=kind,
            model=model,
            source_column=made_from,
            column=column,
            language=given.get("language") if kind == "caption" else None,
            prompt=given.get("prompt") if kind == "caption" else None,
            attributes_column=attributes,
            batch_size=given.get("batch_size"),
            table=table,
            source=None if here else query,
            carries=source,
            remade=self._remade(kind, source, column, attributes),
            replaced=None if here else existing,
            at=convert.at,
            source_at=column_at,
        )
        if not here:
            return step, (Ours(f"SELECT * FROM {quoted_path(*table)}", convert.at),)
        columns = tuple(filter(None, (column, attributes)))
        return step, self._with_columns(convert, query, table, made_from, columns)

    def _kind(self, convert: Convert, given: Mapping[str, Any], model: Model) -> Kind:
        task, content = given.get("task"), given.get("convert_type")
        if task == "caption":
            if content == "text":
                at = self._place(convert, "task", convert.at)
                raise self.options.error("captions are of images, not of texts", at, hint="leave convert_type out")
            kind: Kind = "caption"
        elif content is not None:
            kind = cast(Kind, content)
        elif "text_col" in given and "image_col" not in given:
            kind = "text"
        else:
            kinds: Sequence[Kind] = ("image", "text") if task == "embedding" else ("image", "caption", "text")
            kind = next(filter(model.can, kinds), "image")
        if not model.can(kind):
            others = ", ".join(other.name for other in self.names.registry.models if other.can(kind))
            hint = f"these do: {others}" if others else "see: LIST MODEL, GET THANOSQL MODEL"
            raise self.options.error(f"the model {model.name} {CANNOT[kind]}", convert.model.at, hint=hint)
        for key in OF_CAPTIONS if kind != "caption" else ():
            if key in given:
                self.options.warnings.append(
                    f"{key} belongs to captions and is ignored; they are made by task='caption'"
                )
        return kind

    def _place(self, convert: Convert, key: str, otherwise: Span) -> Span:
        return next((option.value.at for option in convert.options if option.key == key), otherwise)

    def _remade(self, kind: Kind, source: TableInfo | None, column: str, attributes: str | None) -> tuple[str, ...]:
        """A column called caption may hold somebody's own words: those are not to be lost."""
        if kind != "caption":
            return (column,)
        if source is None or self.names.registry.embedding(source, column) is None:
            return ()
        return tuple(filter(None, (column, attributes)))

    def _with_columns(
        self, convert: Convert, query: Fragment, table: tuple[str, ...], made_from: str, columns: Sequence[str]
    ) -> Fragment:
        """The rows of the query, with the columns that its text does not say it shows."""
        at = convert.at
        more = [column for column in columns if not shows_column(self.statement, convert.query, column)]
        if not more:
            return query
        shown, read = (", ".join(f"{prefix}{quoted(column)}" for column in more) for prefix in ("e.", ""))
        key = quoted(made_from)
        return (
            Ours(f"SELECT q.*, {shown} FROM (\n", at),
            *query,
            Ours(
                f"\n) AS q LEFT JOIN (SELECT DISTINCT ON ({key}) {key}, {read} FROM {quoted_path(*table)}) AS e "
                f"ON e.{key} = q.{key}",
                at,
            ),
        )

    def _target(
        self, convert: Convert, given: str | None, source: TableInfo | None
    ) -> tuple[tuple[str, ...], TableInfo | None]:
        if given is None:
            if source is None or not source.is_table:
                raise self.options.error(
                    "the query does not read one table, so there is none to store the result in",
                    convert.at,
                    hint="name a new one: OPTIONS(table_name='my_table')",
                )
            return (source.schema, source.name), source
        return self.names.target(tuple(given.split(".")), self._place(convert, "table_name", convert.at))


def default_column(kind: Kind, model: Model, made_from: str) -> str:
    """As the SQL functions name it."""
    match kind:
        case "image":
            return f"{model.name}_{model.base}"
        case "text":
            return f"{model.name}_{model.base}_{made_from}"
        case "caption":
            return "caption"
