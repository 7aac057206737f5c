"""What a column can be searched by, as the SQL expression of a query vector.

A text or an image goes to the service inside a scalar subquery: written inline, PostgreSQL would ask once per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from pgvector import HalfVector, Vector
from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy import LargeBinary, SelectBase, Text, cast, literal, select
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy.function import embed_image, embed_text
from thanopg.sqlalchemy.picture import is_picture, png_of
from thanopg.sqlalchemy.row import Key, is_entity, vector_of_row

QueryValue: TypeAlias = object
"""a text; an image file's bytes, a PIL image; a mapped instance, a Key; a NumPy array, a list, a pgvector value; SQL"""

EXPECTED = "a text, an image, a row or a vector"


def query_expression(query: QueryValue, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What stands right of `column <=>`. Raises InvalidArgument."""
    expression = _sql(query)
    return select(query_vector(query, column)).scalar_subquery() if expression is None else expression


def query_vector(query: QueryValue, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """One vector of the column's type, in its model's space. Raises InvalidArgument."""
    expression = _sql(query)
    vector = _vector(query, column) if expression is None else expression
    return cast(vector, HALFVEC() if isinstance(column.type, HALFVEC) else VECTOR())


def _sql(query: QueryValue) -> ColumnElement[Any] | None:
    if isinstance(query, SelectBase):
        return query.scalar_subquery()
    if hasattr(query, "__clause_element__"):
        query = query.__clause_element__()
    return query if isinstance(query, ColumnElement) else None


def _vector(query: QueryValue, column: ColumnElement[Any]) -> ColumnElement[Any]:
    model = literal(_model_of(column), Text())
    if isinstance(query, str):
        return embed_text(literal(query, Text()), model)
    if isinstance(query, bytes | bytearray | memoryview):
        return embed_image(literal(bytes(query), LargeBinary()), model)
    if is_picture(query):
        return embed_image(literal(png_of(query), LargeBinary()), model)
    if isinstance(query, Key) or is_entity(query):
        return vector_of_row(query, column)
    return literal(_vector_text(query), Text())


def _model_of(column: ColumnElement[Any]) -> str:
    return str(getattr(column.type, "model", ""))


def _vector_text(query: object) -> str:
    """As pgvector reads it."""
    if isinstance(query, Vector | HalfVector):
        return query.to_text()
    shape = getattr(query, "shape", None)
    if shape is not None and hasattr(query, "tolist"):  # NumPy and PyTorch, without importing either
        if len(shape) != 1:
            raise InvalidArgument(f"expected a vector of one dimension, not an array of shape {tuple(shape)}")
        query = query.tolist()
    if isinstance(query, Sequence) and not isinstance(query, ClauseElement):
        try:
            return "[" + ",".join(repr(float(number)) for number in query) + "]"
        except (TypeError, ValueError) as error:
            raise InvalidArgument("expected numbers in the query vector", hint=f"search by {EXPECTED}") from error
    given = "None" if query is None else f"a value of type {type(query).__name__}"
    hint = "name another row by its key: Key(7)" if isinstance(query, int) else ""
    raise InvalidArgument(f"expected {EXPECTED} to search by, not {given}", hint=hint)
