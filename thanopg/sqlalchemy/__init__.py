"""Embeddings declared on SQLAlchemy models: `create_all` makes them, the worker keeps them true, queries use them."""

from thanopg.sqlalchemy.declaration import Embedding, embeddings_of

__all__ = ["Embedding", "embeddings_of"]
