"""What the database knows when a statement is compiled: models, tables, embedding columns. A plain value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "caption", "text"]
"""of an embedding column: a picture's vector, a picture in words, a text's vector"""


@dataclass(frozen=True)
class Model:
    name: str
    base: str
    source: str
    fingerprint: str = ""
    can_embed_images: bool = True
    can_embed_texts: bool = True
    can_caption: bool = False

    def can(self, kind: Kind) -> bool:
        return {"image": self.can_embed_images, "text": self.can_embed_texts, "caption": self.can_caption}[kind]


@dataclass(frozen=True)
class TableInfo:
    schema: str
    name: str
    columns: tuple[str, ...]
    is_table: bool = True
    """False: a view or another thing that can be read but has no columns of its own"""


@dataclass(frozen=True)
class Embedding:
    """A registered embedding column."""

    id: int
    schema: str
    table: str
    column: str
    model: str
    source: str
    """the column that it is made from"""
    kind: Kind = "image"
    bits: int | None = None
    """of its binary index; None: it has none, and an ordinary one if any"""


@dataclass(frozen=True)
class Registry:
    models: tuple[Model, ...] = ()
    tables: tuple[TableInfo, ...] = ()
    embeddings: tuple[Embedding, ...] = ()
    search_path: tuple[str, ...] = ("public",)
    vector_type: str = "vector"
    """as this session can write it"""
    distance: str = "<=>"

    def signs(self, vector: str, bits: int) -> str:
        """A vector's signs, as a binary index holds them."""
        schema = "".join(self.vector_type.rpartition(".")[:2])
        return f"{schema}binary_quantize({vector})::bit({bits})"

    @property
    def sign_distance(self) -> str:
        """Between two vectors' signs."""
        return self.distance.replace("<=>", "<~>")

    def model(self, name: str) -> Model | None:
        """By its exact name, else by the folded one."""
        by_name = {model.name: model for model in self.models}
        return by_name.get(name) or by_name.get(name.lower())

    def table(self, parts: tuple[str, ...]) -> TableInfo | None:
        """What a name means here; each part exactly, else folded."""
        for spelled in (parts, tuple(part.lower() for part in parts)):
            schemas = (spelled[-2],) if len(spelled) > 1 else self.search_path
            for schema in schemas:
                for table in self.tables:
                    if (table.schema, table.name) == (schema, spelled[-1]):
                        return table
        return None

    def embedding(self, table: TableInfo, column: str) -> Embedding | None:
        for embedding in self.embeddings:
            if (embedding.schema, embedding.table, embedding.column) == (table.schema, table.name, column):
                return embedding
        return None

    def vectors_of(self, table: TableInfo, model: str) -> tuple[Embedding, ...]:
        """Of pictures; if there are none, of texts."""
        there = [e for e in self.embeddings if (e.schema, e.table, e.model) == (table.schema, table.name, model)]
        images = tuple(e for e in there if e.kind == "image")
        return images or tuple(e for e in there if e.kind == "text")
