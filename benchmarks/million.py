"""Search in a million rows of 512 dimensions: recall, time, size and build of each kind of index; with filters.

The statement that a person would write runs beside search_image in turn: pgvector's own, with its usual settings; with
a filter that is a WHERE, without iterative scans; of a binary index two hundred candidates, ranked by whole vectors.
Rows and queries are drawn alike (benchmarks.embeddings). Exact results are computed with NumPy from what is stored.
Indexes are built as `thanopg index` builds them. Half an hour; figures go to standard error as they come.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.embeddings import Embeddings
from benchmarks.measure import Bar, Figure, figure_of, figures_of
from benchmarks.million_rows import KINDS, K, Nearest, fill, queries
from benchmarks.service_thread import ServiceThread, settings_beside
from benchmarks.stack import Stack
from benchmarks.table import table as written
from tests.adapters import install_over
from tests.databases import Database, clone
from thanopg.cli.index import build
from thanopg.database.connect import Connection, connect
from thanopg.database.service_address import ServiceAddress
from thanopg.models.embedder import Embedder, TextEmbeddings, Vectors
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary

ROWS, QUICK_ROWS = 1_000_000, 50_000
QUERIES = 100
DIMENSIONS = 512
PORT = 5434
"""of a service of our own beside the stack's"""
FILTERS = {1.0: None, 0.1: "kind < 100", 0.01: "kind < 10", 0.001: "kind < 1"}
INDEXED = {0.01: "shelf < 10", 0.001: "shelf < 1"}
"""the same rows, where the column of the filter has an index"""
BINARY_CANDIDATES = 200

Search = Callable[[int], list[int]]
"""number of a query → ids of what is found"""


class Answers(FakeEmbedder):
    """The text `query 7` has the vector of query 7."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__(vectors.shape[1])
        self._answers = vectors

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        return TextEmbeddings(self._answers[[int(text.split()[-1]) for text in texts]], (False,) * len(texts))


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    rows = QUICK_ROWS if quick else ROWS
    drawn = Embeddings(DIMENSIONS)
    vectors = queries(drawn, QUERIES)
    figures: list[Figure] = []
    with _database(stack, vectors) as database, connect(database.url, autocommit=True) as connection:
        connection.execute(f"SELECT create_model('drawn', source => 'fake:{DIMENSIONS}', base => 'bench')".encode())
        for column_type in ("vector", "halfvec"):
            table = f"million_{column_type}"
            exact = _filled(connection, table, column_type, rows, drawn, vectors)
            for kind in (column_type, "binary") if column_type == "vector" else (column_type,):
                title = f"{rows:,} x {DIMENSIONS}, {kind}"
                if kind == "binary":
                    connection.execute("SELECT set_index(%s, 'embedding', 'binary')", (table,))
                figures += _say(_built(database, connection, table, title))
                figures += _measured(database, table, column_type, kind, title, vectors, exact)
            connection.execute(f"DROP TABLE {table}".encode())
    return figures


@contextmanager
def _database(stack: Stack, vectors: Vectors) -> Iterator[Database]:
    """With a service that knows the vectors of the queries."""

    def load(source: str, *, device: str | None) -> Embedder:
        return Answers(vectors)

    settings = replace(settings_beside(stack.server), port=PORT)
    address = ServiceAddress(
        host=str(settings.unix_socket_dir), port=PORT, user=settings.user, password=settings.password
    )
    with clone(stack.server, "template0") as database:
        install_over("native", stack.server, database, address)
        with ServiceThread(settings, ModelLibrary(load=load), stack.decoder):
            yield database


def _filled(
    connection: Connection, table: str, column_type: str, rows: int, drawn: Embeddings, asked: Vectors
) -> Mapping[int, Nearest]:
    begin = time.perf_counter()
    statements = (
        f"CREATE TABLE {table} (id int PRIMARY KEY, image_path text, kind int, shelf int) "
        "WITH (autovacuum_enabled = off)",
        f"SELECT add_image_embedding('{table}', 'image_path', 'drawn', 'embedding', '{column_type}', index => 'later')",
        f"ALTER TABLE {table} DISABLE TRIGGER USER",
    )
    for statement in statements:
        connection.execute(statement.encode())
    exact = fill(connection, table, column_type, rows, drawn, asked, [round(share * KINDS) for share in FILTERS])
    connection.execute(f"CREATE INDEX ON {table} (shelf)".encode())
    connection.execute(f"VACUUM (ANALYZE) {table}".encode())
    print(f"{table}: {rows:,} rows drawn and loaded in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    return exact


def _built(database: Database, connection: Connection, table: str, title: str) -> list[Figure]:
    ((number, label),) = connection.execute(
        "SELECT id, format('%%s.%%I', target, column_name) FROM thanopg.embedding_column WHERE target = %s::regclass",
        (table,),
    ).fetchall()
    begin = time.perf_counter()
    build(database.url, connection, number, label, "missing")
    seconds = time.perf_counter() - begin
    ((size,),) = connection.execute(
        "SELECT pg_relation_size(m) FROM thanopg.made_indexes(%s, 'embedding') m", (table,)
    ).fetchall()
    return [
        Figure(benchmark=title, what="index build, as thanopg index does it", median=seconds, unit="s"),
        Figure(benchmark=title, what="index size", median=size / 1024**2, unit="MiB"),
    ]


def _measured(
    database: Database,
    table: str,
    column_type: str,
    kind: str,
    title: str,
    vectors: Vectors,
    exact: Mapping[int, Nearest],
) -> list[Figure]:
    figures: list[Figure] = []
    bars = {"search_image": Bar(most=1.10)}
    literals = [str(vector.tolist()) for vector in vectors]
    with connect(database.url, autocommit=True) as by_hand, connect(database.url, autocommit=True) as ours:
        if kind == "binary":
            by_hand.execute(f"SET hnsw.ef_search = {BINARY_CANDIDATES}".encode())
        for share, condition in [*FILTERS.items(), *INDEXED.items()]:
            truth = exact[round(share * KINDS)]
            name = title if condition is None else f"{title}, {share:g} of the rows: {condition}"
            searches = {
                "bare statement": _bare(by_hand, table, column_type, kind, condition, literals),
                "search_image": _search_image(ours, table, condition),
            }
            figures += _say(_compared(name, searches, truth, len(vectors), bars={} if condition else bars))
    return figures


def _bare(
    connection: Connection, table: str, column_type: str, kind: str, condition: str | None, literals: Sequence[str]
) -> Search:
    """As pgvector's README writes it."""
    where = "" if condition is None else f"WHERE {condition} "
    statement = (
        f"SELECT id, image_path, 1 - (embedding <=> %(q)s::{column_type}) FROM {table} {where}"
        f"ORDER BY embedding <=> %(q)s::{column_type} LIMIT {K}"
    )
    if kind == "binary":
        bits = f"bit({DIMENSIONS})"
        statement = (
            f"SELECT id, image_path, 1 - (embedding <=> %(q)s::vector) FROM (SELECT * FROM {table} {where}"
            f"ORDER BY binary_quantize(embedding)::{bits} <~> binary_quantize(%(q)s::vector)::{bits} "
            f"LIMIT {BINARY_CANDIDATES}) candidate ORDER BY embedding <=> %(q)s::vector LIMIT {K}"
        )

    def search(query: int) -> list[int]:
        return [row[0] for row in connection.execute(statement.encode(), {"q": literals[query]}).fetchall()]

    return search


def _search_image(connection: Connection, table: str, condition: str | None) -> Search:
    statement = f"SELECT key, image, similarity FROM search_image(%s, 'drawn', target => '{table}', filter => %s)"

    def search(query: int) -> list[int]:
        found = connection.execute(statement.encode(), (f"query {query}", condition)).fetchall()
        return [row[0]["id"] for row in found]

    return search


def _compared(
    title: str, searches: Mapping[str, Search], truth: Nearest, number: int, *, bars: Mapping[str, Bar]
) -> list[Figure]:
    """In turn, but never the same query one after the other: what one has read, the other would find in memory."""
    times: dict[str, list[float]] = {what: [] for what in searches}
    recalls: dict[str, list[float]] = {what: [] for what in searches}
    for turn in range(-number // 10, number):
        for place, (what, search) in enumerate(searches.items()):
            query = (turn + place * number // len(searches)) % number
            begin = time.perf_counter()
            found = search(query)
            if turn >= 0:
                times[what].append((time.perf_counter() - begin) * 1000)
                recalls[what].append(len(truth.of(query).intersection(found)) / len(truth.of(query)))
    least = {"search_image": Bar(least=0.99)} if "of the rows" in title else {}
    return figures_of(title, times, bars=bars) + [
        replace(
            figure_of(title, f"{what}, recall@{K}", shares, unit=""),
            median=statistics.mean(shares),
            ratio=statistics.mean(shares),
            bar=least.get(what),
        )
        for what, shares in recalls.items()
    ]


def _say(figures: list[Figure]) -> list[Figure]:
    print(written(figures), file=sys.stderr, flush=True)
    return figures
