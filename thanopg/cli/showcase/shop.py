"""The shop in SQL: table, loading, the searches and what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from thanopg.catalog.product import Product
from thanopg.errors import ModelFailed

ROWS = 5
POLL_SECONDS = 0.1
STALL_SECONDS = 120.0
"""without any progress"""
COLUMNS = (
    "id", "image_path", "name", "description", "category", "colour", "shade", "pattern", "material", "neckline",
    "length", "sleeve", "cut", "heel",
)  # fmt: skip
TABLE = """\
CREATE TABLE product (
  id bigint PRIMARY KEY,
  image_path text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  category text NOT NULL,
  colour text NOT NULL,
  shade text,
  pattern text,
  material text,
  neckline text,
  length text,
  sleeve text,
  cut text,
  heel text
)"""
EMBED = "SELECT add_image_embedding('product', 'image_path', '{model}')"
SEARCH = """\
SELECT s.rank, round(s.similarity::numeric, 3) AS similarity, p.name, s.image
FROM search_image('{query}', '{model}', {rows}) s
JOIN product p ON p.id = (s.key->>'id')::bigint
ORDER BY s.rank"""


@dataclass(frozen=True, kw_only=True)
class Found:
    statement: str
    names: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    milliseconds: float


@dataclass(frozen=True, kw_only=True)
class Coverage:
    rows: int
    embedded: int
    pending: int
    failed: int
    rate: float


class Shop:
    """Table `product` in one database, its pictures embedded with one model."""

    def __init__(self, connection: psycopg.Connection[Any], model: str) -> None:
        """`connection` is in autocommit."""
        self._connection = connection
        self.model = model

    def load(self, products: Sequence[Product]) -> None:
        self._connection.execute(TABLE.encode())
        columns = ", ".join(COLUMNS)
        with self._connection.cursor().copy(f"COPY product ({columns}) FROM STDIN".encode()) as copy:
            for product in products:
                copy.write_row([getattr(product, column) for column in COLUMNS])
        self._connection.execute("ANALYZE product")

    @property
    def embed_statement(self) -> str:
        return EMBED.format(model=quoted(self.model))

    def wait(self, tell: Callable[[Coverage], None]) -> Coverage:
        """Until nothing is pending. Raises ModelFailed when nothing happens for long."""
        last, since = -1, time.monotonic()
        while True:
            found = self.coverage()
            tell(found)
            if found.pending == 0:
                return found
            if found.embedded + found.failed != last:
                last, since = found.embedded + found.failed, time.monotonic()
            if time.monotonic() - since > STALL_SECONDS:
                raise ModelFailed(f"no picture was embedded for {STALL_SECONDS:.0f} s", hint="read log/worker.log")
            time.sleep(POLL_SECONDS)

    def coverage(self) -> Coverage:
        """Of all columns together."""
        row = self._connection.execute(
            "SELECT coalesce(sum(rows), 0), coalesce(sum(embedded), 0), coalesce(sum(pending), 0), "
            "coalesce(sum(failed), 0), coalesce(sum(rate), 0) FROM thanopg.embedding_status"
        ).fetchone()
        assert row is not None
        rows, embedded, pending, failed = map(int, row[:4])
        return Coverage(rows=rows, embedded=embedded, pending=pending, failed=failed, rate=float(row[4]))

    def first_failure(self) -> str:
        row = self._connection.execute("SELECT error_type, error_text FROM thanopg.failure LIMIT 1").fetchone()
        return f"{row[0]}: {row[1]}" if row else ""

    def run(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def search(self, query: str, rows: int = ROWS) -> Found:
        return self.ask(SEARCH.format(query=quoted(query), model=quoted(self.model), rows=rows))

    def ask(self, statement: str) -> Found:
        begin = time.perf_counter()
        cursor = self._connection.execute(statement.encode())
        found = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
        return Found(
            statement=statement + ";",
            names=names,
            rows=found,
            milliseconds=1000 * (time.perf_counter() - begin),
        )


def quoted(text: str) -> str:
    """Inside a literal; the statements are shown to people, so their values stand in them."""
    return text.replace("'", "''")
