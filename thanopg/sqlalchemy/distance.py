"""Cosine distance and similarity as SQL expressions.

pgvector uses its index for a bare ascending `ORDER BY column <=> constant` and for nothing else.
"""

from __future__ import annotations

from typing import Any

from pgvector.sqlalchemy import BIT
from sqlalchemy import Float, cast, func, literal_column
from sqlalchemy.sql.elements import BinaryExpression, ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import custom_op, sub

COSINE: custom_op[float] = custom_op("<=>")
HAMMING: custom_op[float] = custom_op("<~>")


class Distance(BinaryExpression[float]):
    """`column <=> vector`, small is near."""

    inherit_cache = True

    @classmethod
    def of(cls, column: ColumnElement[Any], vector: ColumnElement[Any]) -> Distance:
        return cls(column, vector, COSINE, type_=Float())

    def without_index(self) -> ColumnElement[float]:
        """The same number, in a form for which no index is used: all rows are looked at."""
        return self + literal_column("0")

    def of_signs(self, bits: int) -> ColumnElement[float]:
        """Between the signs of both vectors' numbers, as a binary index has them."""
        column, vector = (cast(func.binary_quantize(each), BIT(bits)) for each in (self.left, self.right))
        return BinaryExpression(column, vector, HAMMING, type_=Float())


class Similarity(BinaryExpression[float]):
    """`1 - (column <=> vector)`, large is near."""

    inherit_cache = True

    @classmethod
    def of(cls, distance: Distance) -> Similarity:
        return cls(literal_column("1"), distance, sub, type_=Float())

    def desc(self) -> UnaryExpression[float]:
        """As an order: ascending distance, which is the same, uses the index, and has rows without a vector last."""
        ascending: UnaryExpression[float] = self.right.asc()
        return ascending
