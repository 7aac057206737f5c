"""The bytes of one picture: from a path under the image root, a URL, a `data:` URI, or what the table itself holds.

Nothing outside the root is ever opened, and nothing said about it: a path that leaves the root, whichever way, is
"outside the image root" whether or not something is there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.data_uri import read_data_uri
from thanopg.images.remote.fetched import Fetched
from thanopg.images.rooted import RootedFile, open_under_root, spellings

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
REMOTE = ("http", "https", "s3", "gs", "az")
EXPECTED = "a path, a URL with http, https, s3, gs or az, a data: URI or bytes"


@dataclass(frozen=True, kw_only=True)
class ImageBytes:
    """An undecoded picture with what provenance records of it."""

    data: bytes
    digest: bytes
    """SHA-256, 32 bytes"""
    size: int
    """bytes"""
    modified: datetime | None
    """of the file, or what a server says of it, in UTC; None where nothing is known"""
    etag: str | None = None
    """what a server knows these bytes by"""


class Remote(Protocol):
    def fetch(self, url: str) -> Fetched:
        """Raises ImageError."""

    def fetch_changed(self, url: str, etag: str) -> Fetched | None:
        """The same, or None when what is there still has this ETag."""


class ImageReader:
    """Reads the sources of one installation: paths are relative to `root`, or absolute and below it.

    Without `remote` no URL is followed.
    """

    def __init__(self, root: Path, limits: ImageLimits, *, remote: Remote | None = None) -> None:
        self._root = root
        self._limits = limits
        self._remote = remote

    def read(self, source: str | bytes) -> ImageBytes:
        """Text is a path, a URL or a `data:` URI, bytes are the picture itself.

        Raises ImageError for a fault of this source, ImageRootUnavailable when the root itself can't be read.
        """
        if isinstance(source, str):
            return self._read_text(source)
        return self._checked(bytes(source), modified=None)

    def check(self, path: str) -> None:
        """That there is such a file, without reading it. Raises ImageError, ImageRootUnavailable."""
        with self._open(path):
            pass

    def read_changed(self, source: str, etag: str) -> ImageBytes | None:
        """The same for a URL; None when its server says that it still has what it gave this ETag to."""
        fetched = self._remote_of(source).fetch_changed(source, etag)
        return None if fetched is None else self._fetched(fetched)

    def _read_text(self, source: str) -> ImageBytes:
        if source[:5].lower() == "data:":
            return self._checked(read_data_uri(source, max_bytes=self._limits.bytes), modified=None)
        if URL.match(source):
            return self._read_url(source)
        if not source or "\0" in source:
            raise ImageError("unsupported", f"expected {EXPECTED}, not an empty or broken text")
        with self._open(source) as file:
            if file.size > self._limits.bytes:
                raise _too_large(file.size, self._limits.bytes)
            return self._checked(file.read(self._limits.bytes + 1), modified=file.modified)

    def _read_url(self, source: str) -> ImageBytes:
        return self._fetched(self._remote_of(source).fetch(source))

    def _remote_of(self, source: str) -> Remote:
        scheme = source.partition(":")[0].lower()
        if scheme not in REMOTE:
            raise ImageError("unsupported", f"expected {EXPECTED}, not a URL with {scheme:.20}://")
        if self._remote is None:
            raise ImageError("unsupported", "URLs are not followed here")
        return self._remote

    def _fetched(self, fetched: Fetched) -> ImageBytes:
        return replace(self._checked(fetched.data, modified=fetched.modified), etag=fetched.etag)

    def _open(self, source: str) -> RootedFile:
        missing: ImageError | None = None
        for path in self._candidates(source):
            try:
                return open_under_root(self._root, path)
            except ImageError as error:
                if error.fault != "missing":
                    raise
                missing = missing or error
        assert missing is not None
        raise missing

    def _candidates(self, source: str) -> Iterator[str]:
        """As written, then as composed and decomposed Unicode: file systems and archives differ for Hangul."""
        yield source
        yield from (spelling for spelling in spellings(source, self._root) if spelling != source)

    def _checked(self, data: bytes, *, modified: datetime | None) -> ImageBytes:
        if len(data) > self._limits.bytes:
            raise _too_large(len(data), self._limits.bytes)
        return ImageBytes(data=data, digest=hashlib.sha256(data).digest(), size=len(data), modified=modified)


def _too_large(size: int, limit: int) -> ImageError:
    return ImageError("too_large", f"expected at most {limit} bytes, not {size}")
