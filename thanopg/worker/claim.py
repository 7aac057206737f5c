"""What a worker holds of a row: first the claim, then what its source holds, then what was made of it, or its fault."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from thanopg.errors import ImageError
from thanopg.models.embedder import Pixels

Kind = Literal["image", "caption", "text"]
"""vector of a picture, picture in words, vector of a text"""
Key = str
"""values of the key columns as a JSON array in registry order, as text: a number read here would lose digits"""


@dataclass(frozen=True, kw_only=True)
class EmbeddingColumn:
    """An embedding column of the registry, as far as a worker needs it."""

    id: int
    label: str
    kind: Kind
    model_source: str
    fingerprint: str
    language: str | None = None
    """of captions; None: the model's own"""
    prompt: str | None = None


@dataclass(frozen=True, kw_only=True)
class Leased:
    """A row of one claim before its source was read."""

    key: Key
    attempts: int
    lost_leases: int


@dataclass(frozen=True, kw_only=True)
class ClaimedRow:
    """A row of one claim with the source that it had after the claim had committed."""

    key: Key
    attempts: int
    lost_leases: int
    source: str | bytes | None
    source_hash: bytes | None
    content_hash: bytes | None
    """sha256 of the content that its present vector or caption was made from"""
    etag: str | None = None
    """by which the server knew that content"""
    adopted: str | None = None
    """the vector that it has from elsewhere, where a new one is only to be compared with it"""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Rows leased under one token."""

    column: EmbeddingColumn
    token: uuid.UUID
    rows: tuple[ClaimedRow, ...]
    at: float = field(default_factory=time.monotonic, compare=False)
    """when, in this process's monotonic seconds"""

    @property
    def keys(self) -> list[Key]:
        return [row.key for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a row's source holds: a picture, read and decoded, or a text."""

    content_hash: bytes
    """sha256 of the image file's bytes, or of the text in UTF-8"""
    size: int
    modified: datetime | None = None
    etag: str | None = None
    """strong, of a remote picture"""
    material: Pixels | str | None
    """what the model is given; None: what it makes of this content is at hand"""


class Made(NamedTuple):
    """What a model made of one content, as it is stored."""

    value: str | bytes
    """a vector in pgvector's binary form (or its text form), or a caption"""
    attributes: str | None = None
    """a JSON object"""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A row on its way to the model. No content and no fault: the source is NULL, or what it has is right already."""

    row: ClaimedRow
    content: Content | None = None
    fault: ImageError | None = None
    unchanged: bool = False
    etag: str | None = None
    """what an unchanged picture's server knows it by now"""


@dataclass(frozen=True, kw_only=True)
class Written:
    """What is to be stored for a row. All None: the source is NULL, and so becomes the vector or caption."""

    row: ClaimedRow
    made: Made | None = None
    content_hash: bytes | None = None
    size: int | None = None
    modified: datetime | None = None
    etag: str | None = None
