"""The table of `benchmarks.million`: filled fast, and what an exact search finds in it, computed on the way.

Columns: id, image_path, kind (0 to 999, without an index) and shelf (the same, with one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from benchmarks.embeddings import Embeddings
from thanopg.database.connect import Connection
from thanopg.models.embedder import Vectors

KINDS = 1000
K = 10
PART = 20_000
"""rows in memory at a time"""
QUERY_PART = 1_000_000
"""a part that no row is of"""
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
Ids = NDArray[np.int64]


@dataclass
class Nearest:
    """The ids of the rows nearest to each query, among those whose kind is below `kinds`."""

    kinds: int
    _distances: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    _ids: Ids = field(default_factory=lambda: np.empty((0, 0), np.int64))

    def take(self, distances: NDArray[np.float32], ids: Ids, kinds: Ids) -> None:
        """float32 (queries, rows) of more rows."""
        among = kinds < self.kinds
        distances, ids = distances[:, among], np.broadcast_to(ids[among], (len(distances), int(among.sum())))
        if self._ids.size:
            distances, ids = np.hstack((self._distances, distances)), np.hstack((self._ids, ids))
        order = np.argsort(distances, axis=1)[:, :K]
        self._distances = np.take_along_axis(distances, order, axis=1)
        self._ids = np.take_along_axis(ids, order, axis=1)

    def of(self, query: int) -> frozenset[int]:
        return frozenset(self._ids[query].tolist())


def queries(drawn: Embeddings, number: int) -> Vectors:
    return drawn.vectors(QUERY_PART, number)


def fill(
    connection: Connection,
    table: str,
    column_type: str,
    rows: int,
    drawn: Embeddings,
    asked: Vectors,
    wanted: Sequence[int],
) -> Mapping[int, Nearest]:
    """Exact results by the number of kinds. `column_type`: vector or halfvec; distances are of what is stored."""
    found = {kinds: Nearest(kinds) for kinds in wanted}
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        copy.write(SIGNATURE)
        for part in range(0, rows, PART):
            ids = np.arange(part, min(part + PART, rows))
            kinds = np.random.default_rng(part).integers(0, KINDS, len(ids))
            stored = drawn.vectors(part // PART, len(ids)).astype(
                np.float16 if column_type == "halfvec" else np.float32
            )
            vectors = stored.astype(np.float32)
            distances = 1 - asked @ vectors.T / np.linalg.norm(vectors, axis=1)
            for nearest in found.values():
                nearest.take(distances, ids, kinds)
            copy.write(_packed(ids, kinds, stored))
        copy.write(END)
    return found


def _packed(ids: Ids, kinds: Ids, vectors: NDArray[np.floating]) -> memoryview:
    """Rows as binary COPY has them: every field behind its length."""
    number, dimensions = vectors.shape
    element = vectors.dtype.newbyteorder(">")
    fields = np.dtype(
        [
            *[("fields", ">i2"), ("id_size", ">i4"), ("id", ">i4"), ("path_size", ">i4"), ("path", "S11")],
            *[("kind_size", ">i4"), ("kind", ">i4"), ("shelf_size", ">i4"), ("shelf", ">i4")],
            *[("vector_size", ">i4"), ("dimensions", ">i2"), ("unused", ">i2"), ("vector", element, (dimensions,))],
        ]
    )
    packed = np.zeros(number, fields)
    packed["fields"] = 5
    packed["id_size"] = packed["kind_size"] = packed["shelf_size"] = 4
    packed["path_size"] = 11
    packed["vector_size"] = 4 + element.itemsize * dimensions
    packed["id"], packed["kind"], packed["shelf"] = ids, kinds, kinds
    packed["path"] = [f"{number:07}.jpg" for number in ids]
    packed["dimensions"], packed["vector"] = dimensions, vectors
    return packed.data.cast("B")
