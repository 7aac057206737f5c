"""Every kind of URL, each with its reader."""

from __future__ import annotations

from thanopg.config import ImageLimits, RemoteSettings
from thanopg.images.remote.fetched import Fetched
from thanopg.images.remote.http import HttpReader
from thanopg.images.remote.object_store import DRIVERS, ObjectStoreReader


class RemoteReader:
    """Fetches http, https, s3, gs and az; safe for many threads."""

    def __init__(self, settings: RemoteSettings, limits: ImageLimits) -> None:
        self._http = HttpReader(settings, limits)
        self._objects = ObjectStoreReader(settings, limits)

    def fetch(self, url: str) -> Fetched:
        """Raises ImageError."""
        if url.partition("://")[0].lower() in DRIVERS:
            return self._objects.fetch(url)
        return self._http.fetch(url)

    def fetch_changed(self, url: str, etag: str) -> Fetched | None:
        """The same, or None when what is there has this ETag. Raises ImageError."""
        if url.partition("://")[0].lower() in DRIVERS:
            return self._objects.fetch_changed(url, etag)
        return self._http.fetch_changed(url, etag)
