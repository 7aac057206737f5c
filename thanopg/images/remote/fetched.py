"""What every kind of URL yields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

STRONG = re.compile(r'"[!#-~]{1,200}"')


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A picture as a server sent it."""

    data: bytes
    modified: datetime | None
    """what the server says of it, in UTC"""
    etag: str | None = None
    """as the server wrote it, if it stands for these very bytes"""


def strong_etag(text: str | None) -> str | None:
    """An ETag that names bytes, as RFC 9110 has it; a weak one, and what is none, is None."""
    return text if text is not None and STRONG.fullmatch(text) else None
