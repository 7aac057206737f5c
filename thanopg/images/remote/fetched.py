"""What every kind of URL yields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A picture as a server sent it."""

    data: bytes
    modified: datetime | None
    """what the server says of it, in UTC"""
