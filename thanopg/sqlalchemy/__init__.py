"""Embeddings declared on SQLAlchemy models: `create_all` makes them, the worker keeps them true, queries use them."""

from thanopg.sqlalchemy import mapping  # noqa: F401  (it listens)
from thanopg.sqlalchemy.column import caption, caption_attributes, image_embedding, text_embedding
from thanopg.sqlalchemy.ddl import AddEmbedding, DropEmbedding
from thanopg.sqlalchemy.declaration import Embedding, embeddings_of
from thanopg.sqlalchemy.distance import Distance, Similarity
from thanopg.sqlalchemy.row import Key
from thanopg.sqlalchemy.search import Search, search
from thanopg.sqlalchemy.vector_type import EmbeddingHalfvec, EmbeddingVector, Vector

__all__ = [
    "AddEmbedding",
    "Distance",
    "DropEmbedding",
    "Embedding",
    "EmbeddingHalfvec",
    "EmbeddingVector",
    "Key",
    "Search",
    "Similarity",
    "Vector",
    "caption",
    "caption_attributes",
    "embeddings_of",
    "image_embedding",
    "search",
    "text_embedding",
]
