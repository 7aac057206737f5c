"""Tables that ThanoSQL makes: filled under another name, given a key, and put in the old one's place in one step."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from thanopg.thanosql.access import Access
from thanopg.thanosql.fragment import quoted, quoted_path
from thanopg.thanosql.registry import TableInfo

NO_KEYS = ("double precision", "real", "boolean", "json", "jsonb", "xml", "bytea", "point", "vector", "halfvec")
"""types that name no row, even if they happen to be unique"""
COLUMNS = """
    SELECT a.attname::text, format_type(a.atttypid, NULL) FROM pg_attribute a
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
KEY = """
    SELECT array_agg(a.attname::text ORDER BY u.position)
    FROM unnest(thanopg.key_of($1::regclass)) WITH ORDINALITY u(number, position)
    JOIN pg_attribute a ON a.attrelid = $1::regclass AND a.attnum = u.number
"""


class NewTable:
    """A table in the making, under a name that nobody uses."""

    def __init__(self, access: Access, path: tuple[str, ...]) -> None:
        self.access = access
        self.path = path
        self.draft = (*path[:-1], f"thanosql_{uuid.uuid4().hex[:16]}")
        self.notes: list[str] = []

    @property
    def draft_name(self) -> str:
        return quoted_path(*self.draft)

    def columns(self) -> dict[str, str]:
        """Names and types, in their order."""
        return dict(self.access.query(COLUMNS, self.draft_name))

    def drop_column(self, name: str) -> None:
        """If it is there."""
        if name in self.columns():
            self.access.execute(f"ALTER TABLE {self.draft_name} DROP COLUMN {quoted(name)}")

    def put_in_place(self, replaced: TableInfo | None, *, carried: Sequence[str] = ()) -> None:
        """Take the name, and the place of the table that had it; then the key, whose name follows the table's."""
        if replaced is not None:
            self.access.execute(f"DROP TABLE {quoted_path(replaced.schema, replaced.name)}")
        self.access.execute(f"ALTER TABLE {self.draft_name} RENAME TO {quoted(self.path[-1])}")
        self._add_key(carried)

    def _add_key(self, carried: Sequence[str]) -> None:
        columns = dict(self.access.query(COLUMNS, quoted_path(*self.path)))
        if carried and set(carried) <= set(columns) and self._try_key(carried):
            return
        rows = self.access.query(f"SELECT EXISTS (SELECT FROM {quoted_path(*self.path)})")[0][0]
        for name, kind in columns.items():
            if rows and kind not in NO_KEYS and self._is_unique(name) and self._try_key([name]):
                return
        identity = next(name for name in ("id", "row_id", "thanosql_id", uuid.uuid4().hex) if name not in columns)
        self.access.execute(
            f"ALTER TABLE {quoted_path(*self.path)} "
            f"ADD COLUMN {quoted(identity)} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
        )
        self.notes.append(
            f"no column of {self.path[-1]} is unique and filled everywhere: key column {identity} was added"
        )

    def _is_unique(self, name: str) -> bool:
        column = quoted(name)
        try:
            with self.access.connection.transaction():
                counts = f"SELECT count(*) = count(DISTINCT {column}) FROM {quoted_path(*self.path)}"
                return bool(self.access.query(counts)[0][0])  # NULLs don't count as values
        except psycopg.errors.UndefinedFunction:  # a type without equality
            return False

    def _try_key(self, names: Sequence[str]) -> bool:
        listed = ", ".join(quoted(name) for name in names)
        try:
            with self.access.connection.transaction():
                self.access.execute(f"ALTER TABLE {quoted_path(*self.path)} ADD PRIMARY KEY ({listed})")
        except (psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded, psycopg.errors.UndefinedObject):
            return False  # not unique, NULL, too long for an index, or a type that has none
        return True


@contextmanager
def new_table(access: Access, path: tuple[str, ...]) -> Iterator[NewTable]:
    """One transaction: what fails half-way leaves nothing behind."""
    with access.connection.transaction():
        yield NewTable(access, path)


def key_of(access: Access, table: TableInfo) -> list[str]:
    """The key columns of a table; none if it has no key."""
    try:
        with access.connection.transaction():
            return list(access.query(KEY, quoted_path(table.schema, table.name))[0][0] or ())
    except psycopg.errors.InvalidTableDefinition:
        return []
