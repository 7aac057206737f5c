"""`func.thanopg.embed_text(…)` and its like, so that SQLAlchemy knows the types of what they give."""

from __future__ import annotations

from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import Text
from sqlalchemy.sql.functions import GenericFunction

SCHEMA = "thanopg"


class _Function(GenericFunction[Any]):
    _register = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.packagenames = (SCHEMA,)  # "package" is only where func finds it; this is written into the SQL


class embed_text(_Function):
    """One vector, of length 1: `func.thanopg.embed_text("a black cat", "siglip2")`."""

    package = SCHEMA
    inherit_cache = True
    type = VECTOR()


class embed_image(_Function):
    """One vector of an image file's bytes, of length 1."""

    package = SCHEMA
    inherit_cache = True
    type = VECTOR()


class caption_image(_Function):
    """One sentence about an image file's bytes."""

    package = SCHEMA
    inherit_cache = True
    type = Text()
