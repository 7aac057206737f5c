"""The bytes of one picture: from a path under the image root, a `data:` URI, or bytes that the table itself holds.

Nothing outside the root is ever opened, and nothing said about it: a path that leaves the root, whichever way, is
"outside the image root" whether or not something is there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.data_uri import read_data_uri
from thanopg.images.rooted import RootedFile, open_under_root, spellings

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, kw_only=True)
class ImageBytes:
    """An undecoded picture with what provenance records of it."""

    data: bytes
    digest: bytes
    """SHA-256, 32 bytes"""
    size: int
    """bytes"""
    modified: datetime | None
    """of the file, in UTC; None where there is no file"""


class ImageReader:
    """Reads the sources of one installation: paths are relative to `root`, or absolute and below it."""

    def __init__(self, root: Path, limits: ImageLimits) -> None:
        self._root = root
        self._limits = limits

    def read(self, source: str | bytes) -> ImageBytes:
        """Text is a path or a `data:` URI, bytes are the picture itself.

        Raises ImageError for a fault of this source, ImageRootUnavailable when the root itself can't be read.
        """
        if isinstance(source, str):
            return self._read_text(source)
        return self._checked(bytes(source), modified=None)

    def _read_text(self, source: str) -> ImageBytes:
        if source[:5].lower() == "data:":
            return self._checked(read_data_uri(source, max_bytes=self._limits.bytes), modified=None)
        if URL.match(source):
            scheme = source.partition(":")[0].lower()
            raise ImageError("unsupported", f"expected a path, a data: URI or bytes, not a URL with {scheme}://")
        if not source or "\0" in source:
            raise ImageError("unsupported", "expected a path, a data: URI or bytes, not an empty or broken text")
        with self._open(source) as file:
            if file.size > self._limits.bytes:
                raise _too_large(file.size, self._limits.bytes)
            return self._checked(file.read(self._limits.bytes + 1), modified=file.modified)

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
