"""From claimed rows to contents: read and decode pictures, take texts, each row for itself, several at a time.

At most `threads` encoded images are in memory at once, whatever the batch size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

from thanopg.errors import ImageError
from thanopg.images.source import ImageBytes
from thanopg.models.embedder import Pixels, Preprocessing
from thanopg.worker.claim import ClaimedRow, Content, Prepared
from thanopg.worker.draft import Drafts
from thanopg.worker.words import normalised

MOST_LOST_LEASES = 5
"""the first in a batch, the second alone in its claim, three as its worker's only row"""
LOST = "three workers died or froze while this row was their only one"


class Reader(Protocol):
    def read(self, source: str | bytes) -> ImageBytes:
        """Raises ImageError for a fault of this image, ImageRootUnavailable for one of the surroundings."""

    def read_changed(self, source: str, etag: str) -> ImageBytes | None:
        """The same; None when its server still knows it by this ETag."""


class Decoder(Protocol):
    def submit(self, data: bytes, preprocessing: Preprocessing) -> Future[Pixels]:
        """The future raises ImageError."""


class Preparer:
    """Reads and decodes rows in threads of its own; a context manager."""

    def __init__(self, reader: Reader, decoder: Decoder, *, threads: int) -> None:
        self._reader = reader
        self._decoder = decoder
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="prepare")

    def __enter__(self) -> Preparer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def submit(
        self,
        row: ClaimedRow,
        preprocessing: Preprocessing | None,
        *,
        known: Callable[[bytes], bool],
        drafts: Drafts | None = None,
    ) -> Future[Prepared]:
        """Without `preprocessing` the source is a text; with `drafts` they choose how a picture is decoded.

        `known(content_hash)`: is what the model makes of this content at hand, so that it needs no decoding.
        The future raises what is not the row's own fault.
        """
        return self._threads.submit(self._prepare, row, preprocessing, known, drafts)

    def _prepare(
        self,
        row: ClaimedRow,
        preprocessing: Preprocessing | None,
        known: Callable[[bytes], bool],
        drafts: Drafts | None,
    ) -> Prepared:
        if row.source is None:
            return Prepared(row=row)
        if row.lost_leases >= MOST_LOST_LEASES:
            return Prepared(row=row, fault=ImageError("lost_lease", LOST))
        try:
            if preprocessing is not None:
                return self._picture(row, row.source, preprocessing, known, drafts)
            content = _text(row, str(row.source), known)
        except ImageError as fault:
            return Prepared(row=row, fault=fault)
        return Prepared(row=row, content=content, unchanged=content is None)

    def _picture(
        self,
        row: ClaimedRow,
        source: str | bytes,
        preprocessing: Preprocessing,
        known: Callable[[bytes], bool],
        drafts: Drafts | None,
    ) -> Prepared:
        """Unchanged: what stands there was made from these very bytes. Raises ImageError."""
        if row.etag is not None and isinstance(source, str):
            image = self._reader.read_changed(source, row.etag)
            if image is None:
                return Prepared(row=row, unchanged=True, etag=row.etag)
        else:
            image = self._reader.read(source)
        if image.digest == row.content_hash:
            return Prepared(row=row, unchanged=True, etag=image.etag)
        way = preprocessing if drafts is None else drafts.choose(image.size)
        pixels = None if known(image.digest) else self._decoder.submit(image.data, way).result()
        content = Content(
            content_hash=image.digest, size=image.size, modified=image.modified, etag=image.etag, material=pixels
        )
        return Prepared(row=row, content=content)


def _text(row: ClaimedRow, source: str, known: Callable[[bytes], bool]) -> Content | None:
    """None: what stands there was made from this very text. Raises ImageError."""
    text = normalised(source)
    if not text.strip():
        raise ImageError("empty_text", "the text is empty")
    data = text.encode()
    digest = hashlib.sha256(data).digest()
    if digest == row.content_hash:
        return None
    return Content(content_hash=digest, size=len(data), material=None if known(digest) else text)
