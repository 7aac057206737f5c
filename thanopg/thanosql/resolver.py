"""Names in a statement → what they mean in the database, or an error with the name that was probably meant."""

from __future__ import annotations

from dataclasses import dataclass

from thanopg.thanosql.options import OptionReader
from thanopg.thanosql.registry import Model, Registry, TableInfo
from thanopg.thanosql.source import single_table
from thanopg.thanosql.tree import Name, Query, Span
from thanopg.thanosql.vocabulary import did_you_mean

LONGEST_NAME = 63
RESERVED_SCHEMAS = ("thanopg", "pg_catalog", "information_schema")


@dataclass
class Resolver:
    statement: str
    registry: Registry
    options: OptionReader

    def model(self, name: Name) -> Model:
        found = self.registry.model(str(name))
        if found is None:
            known = [model.name for model in self.registry.models]
            raise self.options.error(
                f"there is no model {name}",
                name.at,
                hint=did_you_mean(str(name), known, what="models") or f"first: GET THANOSQL MODEL catalog AS {name}",
            )
        return found

    def single_table_of(self, query: Query) -> TableInfo | None:
        """What `SELECT … FROM table …` reads, if that is what the query is."""
        parts = single_table(self.statement, query)
        return self.registry.table(parts) if parts else None

    def column_of(self, table: TableInfo, name: str, at: Span) -> str:
        for spelled in (name, name.lower()):
            if spelled in table.columns:
                return spelled
        raise self.options.error(
            f"table {table.name} has no column {name}", at, hint=did_you_mean(name, table.columns, what="columns")
        )

    def check_length(self, name: str, at: Span) -> None:
        size = len(name.encode())
        if size > LONGEST_NAME or "\0" in name:
            raise self.options.error(
                f"the name {name} has {size} bytes, at most {LONGEST_NAME} are possible",
                at,
                hint="choose a shorter one with result_col",
            )

    def target(self, parts: tuple[str, ...], at: Span) -> tuple[tuple[str, ...], TableInfo | None]:
        """A table that is written to: as it is there, or under its folded name."""
        existing = self.registry.table(parts)
        path = (existing.schema, existing.name) if existing else tuple(part.lower() for part in parts)
        if not all(path) or len(path) > 2:
            raise self.options.error("expected a table", at)
        self.check_length(path[-1], at)
        if len(path) > 1 and path[0] in RESERVED_SCHEMAS:
            raise self.options.error(f"schema {path[0]} is not for tables of yours", at)
        if existing is not None and not existing.is_table:
            raise self.options.error(f"{existing.name} is not a table", at)
        return path, existing
