"""What a worker holds of a row: first the claim, then its picture or its fault."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from thanopg.errors import ImageError
from thanopg.models.embedder import Pixels

Key = str
"""values of the key columns as a JSON array in registry order, as text: a number read here would lose digits"""


@dataclass(frozen=True, kw_only=True)
class EmbeddingColumn:
    """An embedding column of the registry, as far as a worker needs it."""

    id: int
    label: str
    model_source: str
    fingerprint: str


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
    """sha256 of the image bytes that its present vector was made from"""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Rows leased under one token."""

    column: EmbeddingColumn
    token: uuid.UUID
    rows: tuple[ClaimedRow, ...]

    @property
    def keys(self) -> list[Key]:
        return [row.key for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A row's image, read and decoded."""

    content_hash: bytes
    size: int
    modified: datetime | None
    pixels: Pixels | None
    """None: the vector of these bytes is at hand"""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A row on its way to the model. No picture and no fault: the source is NULL, or the vector is right already."""

    row: ClaimedRow
    picture: Picture | None = None
    fault: ImageError | None = None
    unchanged: bool = False


@dataclass(frozen=True, kw_only=True)
class Written:
    """What is to be stored for a row. All None: the source is NULL, and so becomes the vector."""

    row: ClaimedRow
    vector: str | None = None
    content_hash: bytes | None = None
    size: int | None = None
    modified: datetime | None = None
