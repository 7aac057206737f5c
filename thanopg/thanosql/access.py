"""The connection of a session: runs compiled SQL, makes query vectors, and says where the server's errors belong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
from psycopg.adapt import Buffer, Loader
from psycopg.pq import TransactionStatus
from psycopg.sql import Literal
from psycopg.types import TypeInfo

from thanopg.database.connect import connect
from thanopg.errors import DatabaseUnavailable, ImageError, InstallError, StatementRefused, SyntaxNotUnderstood
from thanopg.thanosql.fragment import Bind, Bound, Compiled, Fragment, Ours, Vector, Written, assemble
from thanopg.thanosql.tree import Span

LONGEST_LIST_EF = 1000
"""pgvector's largest hnsw.ef_search"""
LEAST_EF = 200
EF_FOR_EACH_ROW = 4


class VectorLoader(Loader):
    """[1,2,3] → float32 array"""

    def load(self, data: Buffer) -> Any:
        return np.fromstring(bytes(data)[1:-1].decode(), dtype=np.float32, sep=",")


@dataclass(frozen=True)
class Answer:
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    status: str
    has_rows: bool


class Access:
    """One connection, in autocommit mode."""

    def __init__(self, url: str, read_image: Callable[[str], bytes]) -> None:
        """Raises DatabaseUnavailable, InstallError."""
        self.url = url
        self._read_image = read_image
        self.notices: list[str] = []
        self.connection = connect(url, application_name="thanopg sql", autocommit=True)
        try:
            self.connection.cursor_factory = psycopg.RawCursor
            self._prepare()
        except BaseException:
            self.connection.close()
            raise
        self.connection.add_notice_handler(self._note)

    def close(self) -> None:
        self.connection.close()

    @property
    def in_transaction(self) -> bool:
        return self.connection.info.transaction_status != TransactionStatus.IDLE

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """SQL of ours, with $1, $2, …"""
        return self.connection.execute(text.encode(), values or None).fetchall()

    def execute(self, text: str, *values: Any) -> None:
        self.connection.execute(text.encode(), values or None)

    def run(
        self, statement: str, fragment: Fragment, parameters: Mapping[str, object], *, literals: bool = False
    ) -> Answer:
        """Raises StatementRefused with the place in `statement`."""
        vectors = self.vectors(statement, fragment)

        def value(bind: Bind) -> object:
            return vectors[bind] if isinstance(bind, Vector) else plain_value(parameters[bind.name])

        if literals:
            compiled = assemble(fragment, lambda bind: f"{Literal(value(bind)).as_string(self.connection)}")
        else:
            compiled = assemble(fragment)
        with self.errors(statement, compiled):
            cursor = self.connection.execute(
                compiled.text.encode(), [value(bind) for bind in compiled.binds] if compiled.binds else None
            )
            columns = tuple(column.name for column in cursor.description or ())
            rows = cursor.fetchall() if cursor.description is not None else []
            return Answer(columns, rows, cursor.statusmessage or "", cursor.description is not None)

    def vectors(self, statement: str, fragment: Fragment) -> dict[Vector, str]:
        """As text, each made once by the service."""
        made: dict[Vector, str] = {}
        for part in fragment:
            if not isinstance(part, Bound) or not isinstance(part.bind, Vector) or part.bind in made:
                continue
            bind = part.bind
            source: object = bind.source
            if bind.by == "image" and isinstance(bind.source, str):
                source = self._query_image(bind.source, statement, part.at)
            with self.errors(statement, Compiled("", (), ((0, Ours("", part.at)),))):
                call = "embed_text($1, $2)" if bind.by == "text" else "embed_image($1::bytea, $2)"
                made[bind] = self.query(f"SELECT thanopg.{call}::text", source, bind.model)[0][0]
        return made

    def _query_image(self, source: str, statement: str, at: Span) -> bytes:
        try:
            return self._read_image(source)
        except ImageError as error:
            shown = source if len(source) <= 80 else source[:80] + "…"
            raise SyntaxNotUnderstood(
                f"{error.message}: {shown}",
                hint=error.hint or "paths of pictures begin at the image root",
                statement=statement,
                offset=at.start,
                length=at.end - at.start,
            ) from error

    @contextmanager
    def search_settings(self, rows: int) -> Iterator[None]:
        """A transaction in which an index scan looks at enough rows for `rows` results."""
        effort = min(LONGEST_LIST_EF, max(LEAST_EF, EF_FOR_EACH_ROW * rows))
        with self.connection.transaction():
            self.execute(
                "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), "
                "set_config('hnsw.ef_search', $1, true)",
                str(effort),
            )
            yield

    @contextmanager
    def errors(self, statement: str, compiled: Compiled) -> Iterator[None]:
        """psycopg's errors → ours, with the place."""
        try:
            yield
        except psycopg.OperationalError as error:
            if self.connection.closed or not error.sqlstate:
                raise DatabaseUnavailable(
                    f"the connection was lost: {first_line(error)}", hint="is the server running? connect again"
                ) from error
            raise refused(error, statement, compiled) from error
        except psycopg.Error as error:
            raise refused(error, statement, compiled) from error

    def _prepare(self) -> None:
        installed = self.query("SELECT to_regclass('thanopg.embedding_column') IS NOT NULL")[0][0]
        if not installed:
            raise InstallError("thanopg is not installed in this database", hint="run: thanopg install")
        self.execute("SET standard_conforming_strings = on")
        schema = self.query(
            "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
            "WHERE e.extname = 'vector'"
        )
        if not schema:
            raise InstallError("pgvector is not installed in this database", hint="run: thanopg install")
        for name in ("vector", "halfvec"):
            info = TypeInfo.fetch(self.connection, f'"{schema[0][0]}".{name}')
            if info is not None:
                self.connection.adapters.register_loader(info.oid, VectorLoader)

    def _note(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        text = diagnostic.message_primary or ""
        hint = f"; {diagnostic.message_hint}" if diagnostic.message_hint else ""
        self.notices.append(text + hint)


def plain_value(value: object) -> object:
    """numpy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return list(value)
    return value


def refused(error: psycopg.Error, statement: str, compiled: Compiled) -> SyntaxNotUnderstood:
    diagnostic = error.diag
    offset = None
    if diagnostic.statement_position:
        found = compiled.origin(int(diagnostic.statement_position) - 1)
        if found is not None:
            part, within = found
            offset = part.at.start + (within if isinstance(part, Written) else 0)
    elif compiled.origins and not compiled.text:
        offset = compiled.origins[0][1].at.start
    return StatementRefused(
        diagnostic.message_primary or first_line(error),
        sqlstate=diagnostic.sqlstate or "XX000",
        detail=diagnostic.message_detail or "",
        hint=diagnostic.message_hint or "",
        statement=statement,
        offset=offset,
    )


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
