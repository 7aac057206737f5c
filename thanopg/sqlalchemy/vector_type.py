"""pgvector's column types, with distances to what people search by: a text, a picture, another row, a vector.

The type knows the column's model, because it goes wherever the column goes: into aliases, subqueries and labels.
"""

from __future__ import annotations

from typing import Any

from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy.types import TypeEngine

from thanopg.sqlalchemy.distance import Distance, Similarity
from thanopg.sqlalchemy.query import QueryValue, query_expression

Vector = list[float]
"""what an embedding attribute of an instance holds, of `vector` and of `halfvec` columns"""


class _Searchable(TypeEngine.Comparator[Any]):
    def distance(self, query: QueryValue) -> Distance:
        """Cosine distance, small is near: in `order_by` it uses the column's index. Raises InvalidArgument."""
        return Distance.of(self.expr, query_expression(query, self.expr))

    def similarity(self, query: QueryValue) -> Similarity:
        """1 - distance, large is near. Raises InvalidArgument."""
        return Similarity.of(self.distance(query))


class EmbeddingVector(VECTOR):
    """`vector`, of an embedding column."""

    cache_ok = True

    def __init__(self, dim: int | None = None, model: str = "") -> None:
        super().__init__(dim)
        self.model = model

    class Comparator(_Searchable, VECTOR.Comparator):
        pass

    comparator_factory = Comparator


class EmbeddingHalfvec(HALFVEC):
    """`halfvec`, of an embedding column."""

    cache_ok = True

    def __init__(self, dim: int | None = None, model: str = "") -> None:
        super().__init__(dim)
        self.model = model

    class Comparator(_Searchable, HALFVEC.Comparator):
        pass

    comparator_factory = Comparator
