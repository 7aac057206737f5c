"""What a model made lately, by the hash of what it was made from: identical contents need no second forward pass."""

from __future__ import annotations

import threading
from collections import OrderedDict

from thanopg.worker.claim import Made

REMEMBERED = 10_000
"""results kept by content hash"""


class Recent:
    """Least recently used results by content hash, of one model in one use. Thread-safe."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self._capacity = capacity
        self._made: OrderedDict[bytes, Made] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, content_hash: bytes) -> bool:
        with self._lock:
            return content_hash in self._made

    def get(self, content_hash: bytes) -> Made | None:
        with self._lock:
            made = self._made.get(content_hash)
            if made is not None:
                self._made.move_to_end(content_hash)
            return made

    def put(self, content_hash: bytes, made: Made) -> None:
        with self._lock:
            self._made[content_hash] = made
            self._made.move_to_end(content_hash)
            while len(self._made) > self._capacity:
                self._made.popitem(last=False)
