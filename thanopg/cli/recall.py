"""How many of the truly nearest rows a vector index finds, by how hard it looks, measured with the table's own rows."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thanopg.database.connect import Connection

EFFORTS = (10, 20, 40, 80, 160, 320, 640, 1000)
TIE = 1e-6
"""rows at the same distance are as good as each other"""
SAMPLE_FACTOR = 20
PLACEHOLDER = "thanopg_query_vector"
STATEMENT = """
    SELECT thanopg.search_statement(
      c, format('SELECT %%s::%%s AS vector', %s::text, c.type), 'NULL AS nothing', %s, NULL, %s::jsonb)
    FROM thanopg.embedding_column c WHERE c.id = %s
"""
SAMPLED = """
    SELECT c.target::text, c.column_name, coalesce(s.rows, 0)
    FROM thanopg.embedding_column c
    JOIN thanopg.embedding_status s ON s.target = c.target AND s.column_name = c.column_name
    WHERE c.id = %s
"""
SAMPLE = "SELECT {column}::text FROM {target} {sample} WHERE {column} IS NOT NULL ORDER BY random() LIMIT {number}"


@dataclass(frozen=True, kw_only=True)
class Effort:
    """What one setting of hnsw.ef_search gives."""

    ef_search: int
    recall: float
    median_ms: float


@dataclass(frozen=True, kw_only=True)
class Tuning:
    efforts: Sequence[Effort]
    queries: int

    def proposed(self, recall: float) -> Effort:
        """The least that is enough; where nothing is, the first of those that find most."""
        enough = [effort for effort in self.efforts if effort.recall >= recall]
        return enough[0] if enough else max(self.efforts, key=lambda effort: effort.recall)


def sample_vectors(connection: Connection, embedding: int, number: int) -> list[str]:
    """Vectors of any rows, as text; fewer where there are fewer."""
    from psycopg import sql

    ((target, column, rows),) = connection.execute(SAMPLED, (embedding,)).fetchall()
    share = 100.0 * SAMPLE_FACTOR * number / max(rows, 1)
    for sample in (sql.SQL("TABLESAMPLE SYSTEM ({})").format(min(100.0, share)), sql.SQL("")):
        statement = sql.SQL(SAMPLE).format(
            column=sql.Identifier(column), target=sql.SQL(target), sample=sample, number=number
        )
        found = connection.execute(statement).fetchall()
        if len(found) == number:
            break
    return [vector for (vector,) in found]


def measure(
    connection: Connection, embedding: int, vectors: Sequence[str], *, k: int, tell: Callable[[int], None]
) -> Tuning:
    """Each vector is searched for exactly and with every effort in turn, with the statement that search_image runs.

    `tell` hears how many searches are done.
    """
    exact = _statement(connection, embedding, k, '{"exact": true}')
    quick = _statement(connection, embedding, k, "{}")
    found: dict[int, list[float]] = {ef_search: [] for ef_search in EFFORTS if ef_search >= k}
    taken: dict[int, list[float]] = {ef_search: [] for ef_search in found}
    done = 0
    with connection.transaction():
        connection.execute("SET LOCAL hnsw.iterative_scan = relaxed_order")
        for vector in vectors:
            nearest, _ = _distances(connection, exact, vector)
            tell(done := done + 1)
            for ef_search in found:
                connection.execute("SELECT set_config('hnsw.ef_search', %s, true)", (str(ef_search),))
                # a small table would be read in one go, and says nothing about its index
                connection.execute("SET LOCAL enable_seqscan = off")
                distances, milliseconds = _distances(connection, quick, vector)
                connection.execute("SET LOCAL enable_seqscan = on")
                found[ef_search].append(_recall(nearest, distances))
                taken[ef_search].append(milliseconds)
                tell(done := done + 1)
    efforts = [
        Effort(ef_search=ef_search, recall=statistics.mean(found[ef_search]), median_ms=statistics.median(times))
        for ef_search, times in taken.items()
    ]
    return Tuning(efforts=efforts, queries=len(vectors))


def searches(queries: int, *, k: int) -> int:
    """How many `measure` makes."""
    return queries * (1 + sum(ef_search >= k for ef_search in EFFORTS))


def _statement(connection: Connection, embedding: int, k: int, options: str) -> bytes:
    ((statement,),) = connection.execute(STATEMENT, (PLACEHOLDER, k, options, embedding)).fetchall()
    return str(statement).replace("%", "%%").replace(PLACEHOLDER, "%s").encode()


def _distances(connection: Connection, statement: bytes, vector: str) -> tuple[list[float], float]:
    begin = time.perf_counter()
    rows = connection.execute(statement, (vector,)).fetchall()
    return [float(row[-1]) for row in rows], (time.perf_counter() - begin) * 1000


def _recall(nearest: Sequence[float], found: Sequence[float]) -> float:
    if not nearest:
        return 1.0
    return min(1.0, sum(distance <= nearest[-1] + TIE for distance in found) / len(nearest))
