"""Declares embedding columns: `embedding: Mapped[Vector | None] = image_embedding("image_path", model="siglip2")`.

The column is not part of CREATE TABLE: the SQL function that adds it, adds its triggers too. For the ORM it is a value
that the server makes: never written unless set, and fetched when it is asked for.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import FetchedValue, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeEngine

from thanopg.errors import InvalidArgument
from thanopg.sqlalchemy.declaration import INFO_KEY, UNRESOLVED_KEY, Embedding, IndexPolicy, Kind, VectorType
from thanopg.sqlalchemy.vector_type import EmbeddingHalfvec, EmbeddingVector, Vector

TYPES: dict[VectorType, type[EmbeddingVector | EmbeddingHalfvec]] = {
    "vector": EmbeddingVector,
    "halfvec": EmbeddingHalfvec,
}
INDEX_POLICIES: tuple[IndexPolicy, ...] = ("auto", "now", "later", "binary", "none")


def image_embedding(
    source: str,
    *,
    model: str,
    type: VectorType = "vector",
    index: IndexPolicy = "auto",
    dimensions: int | None = None,
    name: str | None = None,
    deferred: bool = True,
) -> MappedColumn[Vector | None]:
    """A vector of the picture that the attribute `source` holds or points to, made by a registered `model`.

    `dimensions`: None takes them from the model when the column is made. `name`: of the column, where it is not that
    of the attribute. A vector is large, so it is loaded when asked for, unless `deferred` is False.
    """
    return _vector_column("image", source, model, type, index, dimensions, name, deferred)


def text_embedding(
    source: str,
    *,
    model: str,
    type: VectorType = "vector",
    index: IndexPolicy = "auto",
    dimensions: int | None = None,
    name: str | None = None,
    deferred: bool = True,
) -> MappedColumn[Vector | None]:
    """A vector of the text that the attribute `source` holds, a caption perhaps. Arguments as of `image_embedding`."""
    return _vector_column("text", source, model, type, index, dimensions, name, deferred)


def caption(
    source: str,
    *,
    model: str,
    language: str | None = None,
    prompt: str | None = None,
    attributes: str | None = None,
    name: str | None = None,
    deferred: bool = False,
) -> MappedColumn[str | None]:
    """A sentence about the picture of `source`. `attributes` names the jsonb column beside it: `caption_attributes`."""
    declared = Embedding(
        kind="caption", source=source, model=model, language=language, prompt=prompt, attributes_column=attributes
    )
    return _generated_column(Text(), name, deferred, info={INFO_KEY: declared, UNRESOLVED_KEY: True})


def caption_attributes(*, name: str | None = None, deferred: bool = False) -> MappedColumn[Any]:
    """What a captioner that knows more than a sentence says of a picture, as JSON."""
    return _generated_column(JSONB(), name, deferred, info={})


def _vector_column(
    kind: Kind,
    source: str,
    model: str,
    type: VectorType,
    index: IndexPolicy,
    dimensions: int | None,
    name: str | None,
    deferred: bool,
) -> MappedColumn[Vector | None]:
    if type not in TYPES:
        raise InvalidArgument(f"type is vector or halfvec, not {type!r}")
    if index not in INDEX_POLICIES:
        raise InvalidArgument(f"index is auto, now, later, binary or none, not {index!r}")
    declared = Embedding(kind=kind, source=source, model=model, type=type, index=index)
    column_type = TYPES[type](dimensions, model)
    return _generated_column(column_type, name, deferred, info={INFO_KEY: declared, UNRESOLVED_KEY: True})


def _generated_column(
    column_type: TypeEngine[Any], name: str | None, deferred: bool, info: dict[str, Any]
) -> MappedColumn[Any]:
    column: MappedColumn[Any] = mapped_column(
        name,
        column_type,
        nullable=True,
        system=True,  # not in CREATE TABLE
        server_default=FetchedValue(),  # not in INSERT
        server_onupdate=FetchedValue(),  # to be fetched again after an UPDATE
        deferred=deferred,
        info=info,
        # of dataclasses: nobody passes it, and to print or compare an instance must not load it
        init=False,
        repr=False,
        compare=False,
    )
    column._has_dataclass_arguments = False  # they may be there on other classes too, where they mean nothing
    return column
