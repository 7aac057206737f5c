"""Vectors in pgvector's binary form, as `vector_recv` reads it: int16 dimensions, int16 0, then float32, big endian.

A vector as text costs both sides more than all the rest of a row together.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

from thanopg.models.embedder import Vectors

HEADER = struct.Struct("!hh")
ARRAY = struct.Struct("!iiIii")
"""of an array in PostgreSQL's binary form: dimensions, has nulls, type of the elements, how many, first index"""
LENGTH = struct.Struct("!i")
NULL = LENGTH.pack(-1)
TYPES = """
    SELECT t.oid, t.typarray
    FROM pg_extension x JOIN pg_type t ON t.typnamespace = x.extnamespace AND t.typname = 'vector'
    WHERE x.extname = 'vector'
"""


class Packed(NamedTuple):
    """Vectors on their way into an argument of type vector[]; None is NULL."""

    vectors: Sequence[bytes | None]


def packed(vectors: Vectors) -> list[bytes]:
    """float32 (n, dimensions) → n vectors."""
    header = HEADER.pack(vectors.shape[1], 0)
    return [header + vector.tobytes() for vector in vectors.astype(">f4")]


def unpacked(vector: bytes | str) -> NDArray[np.float64]:
    """Also of pgvector's text form."""
    if isinstance(vector, str):
        return np.asarray(json.loads(vector), dtype=np.float64)
    return np.frombuffer(vector, dtype=">f4", offset=HEADER.size).astype(np.float64)


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection pass `Packed`. The database has pgvector."""
    ((element, array),) = connection.execute(TYPES.encode()).fetchall()

    class PackedDumper(Dumper):
        format = Format.BINARY
        oid = array

        def dump(self, obj: Packed) -> bytes:
            parts = [ARRAY.pack(1, 1, element, len(obj.vectors), 1)]
            for vector in obj.vectors:
                parts += [NULL] if vector is None else [LENGTH.pack(len(vector)), vector]
            return b"".join(parts)

    connection.adapters.register_dumper(Packed, PackedDumper)
