"""Query vectors that were computed before, as the text that goes on the wire. Bounded in bytes, least used go first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

OVERHEAD: Final = 400
"""bytes of dictionary, tuples and string headers per entry"""


class CachedVector(NamedTuple):
    literal: bytes
    truncated: bool


class VectorCache:
    """Keyed by the model's fingerprint and the exact text. Used from one thread."""

    def __init__(self, limit: int) -> None:
        """`limit`: bytes of everything kept; 0 keeps nothing."""
        self._limit = limit
        self._entries: OrderedDict[tuple[str, str], CachedVector] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, fingerprint: str, text: str) -> CachedVector | None:
        key = (fingerprint, text)
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, fingerprint: str, text: str, vector: CachedVector) -> None:
        key = (fingerprint, text)
        cost = _cost(text, vector)
        if cost > self._limit:
            return
        if (old := self._entries.pop(key, None)) is not None:
            self.size -= _cost(text, old)
        self._entries[key] = vector
        self.size += cost
        while self.size > self._limit:
            (_, oldest_text), oldest = self._entries.popitem(last=False)
            self.size -= _cost(oldest_text, oldest)


def _cost(text: str, vector: CachedVector) -> int:
    return OVERHEAD + 4 * len(text) + len(vector.literal)
