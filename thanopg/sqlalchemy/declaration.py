"""What a model says about an embedding column, as a value: `Column.info["thanopg"]` holds it.

The registry of a database (`thanopg.embedding_column`) says the same things, so the two can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Table

INFO_KEY = "thanopg"
UNRESOLVED_KEY = "thanopg_unresolved"
"""in Column.info until the class is mapped: names are still those of attributes"""

Kind = Literal["image", "caption", "text"]
VectorType = Literal["vector", "halfvec"]
IndexPolicy = Literal["auto", "now", "later", "binary", "none"]


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """One embedding column, but for its own name and its table, which the column knows. All names are of columns."""

    kind: Kind
    source: str
    model: str
    type: VectorType | None = None
    """None for a caption, which is text"""
    index: IndexPolicy = "none"
    language: str | None = None
    prompt: str | None = None
    attributes_column: str | None = None
    """of a caption: the jsonb column beside it"""


def embeddings_of(table: Table) -> list[tuple[Column[Any], Embedding]]:
    """The embedding columns of a table in the order of creation: what another one is made from comes first."""
    waiting = {column.name: column for column in table.columns if INFO_KEY in column.info}
    ordered: list[tuple[Column[Any], Embedding]] = []
    while waiting:
        # where sources stand in a circle all are taken as they come: the database refuses them
        ready = [name for name, column in waiting.items() if column.info[INFO_KEY].source not in waiting] or list(
            waiting
        )
        for name in ready:
            column = waiting.pop(name)
            ordered.append((column, column.info[INFO_KEY]))
    return ordered
