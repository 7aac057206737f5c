"""From claimed rows to pictures: read and decode, each row for itself, several at a time.

At most `threads` encoded images are in memory at once, whatever the batch size.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from thanopg.errors import ImageError
from thanopg.images.source import ImageBytes
from thanopg.models.embedder import Pixels, Preprocessing
from thanopg.worker.claim import ClaimedRow, Picture, Prepared

MOST_LOST_LEASES = 5
"""the first in a batch, the second alone in its claim, three as its worker's only row"""
LOST = "three workers died or froze while this row was their only one"


class Reader(Protocol):
    def read(self, source: str | bytes) -> ImageBytes:
        """Raises ImageError for a fault of this image, ImageRootUnavailable for one of the surroundings."""


class Decoder(Protocol):
    def submit(self, data: bytes, preprocessing: Preprocessing) -> Future[Pixels]:
        """The future raises ImageError."""


class Preparer:
    """Reads and decodes rows in threads of its own; a context manager."""

    def __init__(self, reader: Reader, decoder: Decoder, *, threads: int) -> None:
        self._reader = reader
        self._decoder = decoder
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="prepare")
        self._cancelled = threading.Event()

    def __enter__(self) -> Preparer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._cancelled.set()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, row: ClaimedRow, preprocessing: Preprocessing, *, known: Callable[[bytes], bool]
    ) -> Future[Prepared]:
        """`known(content_hash)`: is the vector of these bytes at hand, so that they need no decoding.

        The future raises what is not the image's own fault.
        """
        return self._threads.submit(self._prepare, row, preprocessing, known)

    def _prepare(self, row: ClaimedRow, preprocessing: Preprocessing, known: Callable[[bytes], bool]) -> Prepared:
        if row.source is None:
            return Prepared(row=row)
        if row.lost_leases >= MOST_LOST_LEASES:
            return Prepared(row=row, fault=ImageError("lost_lease", LOST))
        try:
            image = self._reader.read(row.source)
            if image.digest == row.content_hash:
                return Prepared(row=row, unchanged=True)
            pixels = None if known(image.digest) else self._decoder.submit(image.data, preprocessing).result()
        except ImageError as fault:
            return Prepared(row=row, fault=fault)
        picture = Picture(content_hash=image.digest, size=image.size, modified=image.modified, pixels=pixels)
        return Prepared(row=row, picture=picture)
