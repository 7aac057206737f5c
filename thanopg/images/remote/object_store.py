"""Pictures from s3://, gs:// and az://, through fsspec and the driver of each.

The drivers use the worker's own credentials, so only buckets that the configuration names are read. Whatever may be
the store's or the credentials' fault is passing: a lost key must not empty a table of its vectors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from thanopg.config import ImageLimits, RemoteSettings
from thanopg.errors import ImageError
from thanopg.images.remote.deadline import Deadline
from thanopg.images.remote.fetched import Fetched, strong_etag

DRIVERS = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
CHUNK = 1 << 20
TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")


class ObjectStoreReader:
    """Reads objects below the allowed buckets; safe for many threads, as the drivers are."""

    def __init__(self, settings: RemoteSettings, limits: ImageLimits) -> None:
        self._settings = settings
        self._limits = limits

    def fetch(self, url: str) -> Fetched:
        """Raises ImageError."""
        fetched = self.fetch_changed(url, None)
        assert fetched is not None, "there was no ETag to compare with"
        return fetched

    def fetch_changed(self, url: str, etag: str | None) -> Fetched | None:
        """The same, or None when the object has this ETag. Raises ImageError."""
        scheme, _, path = url.partition("://")
        scheme = scheme.lower()
        self._check(scheme, path)
        files = _file_system(scheme)
        deadline = Deadline(self._settings.seconds)
        try:
            about: dict[str, Any] = files.info(path)
            if about.get("type", "file") != "file":
                raise ImageError("forbidden", "expected an object, not a directory")
            there = _etag(about)
            if there is not None and there == etag:
                return None
            if int(about.get("size") or 0) > self._limits.bytes:
                raise self._too_large(f"not {about['size']}")
            with files.open(path, "rb", block_size=CHUNK) as file:
                return Fetched(data=self._read(file, deadline), modified=_modified(about), etag=there)
        except ImageError:
            raise
        except FileNotFoundError as error:
            raise ImageError("not_found", f"there is no such object in {scheme}://{_bucket(path)}") from error
        except PermissionError as error:
            raise ImageError("unreachable", f"no permission to read from {scheme}://{_bucket(path)}") from error
        except Exception as error:  # each driver has its own, and none says which are for good
            raise ImageError(
                "unreachable", f"could not read from {scheme}://{_bucket(path)}: {type(error).__name__}"
            ) from error

    def _check(self, scheme: str, path: str) -> None:
        if any(part in (".", "..") for part in path.split("/")) or "\0" in path:
            raise ImageError("unsupported", "an object's name holds neither . nor .. as a part")
        wanted = f"{scheme}://{path}"
        allowed = (bucket.rstrip("/") + "/" for bucket in self._settings.buckets)
        if not any(wanted.startswith(prefix) for prefix in allowed):
            raise ImageError("forbidden", f"{scheme}://{_bucket(path)} is not among the buckets that may be read")

    def _read(self, file: Any, deadline: Deadline) -> bytes:
        parts: list[bytes] = []
        size = 0
        while part := file.read(CHUNK):
            size += len(part)
            if size > self._limits.bytes:
                raise self._too_large("and more came")
            if deadline.left <= 0:
                raise ImageError("unreachable", f"the object did not come within {deadline.seconds:g} s")
            parts.append(part)
        return b"".join(parts)

    def _too_large(self, came: str) -> ImageError:
        return ImageError("too_large", f"expected at most {self._limits.bytes} bytes, {came}")


def _file_system(scheme: str) -> Any:
    try:
        import fsspec

        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise ImageError(
            "unreachable",
            f"reading {scheme}:// needs {DRIVERS[scheme]} beside the worker: pip install 'thanopg[object-store]'",
        ) from error
    except Exception as error:  # no credentials, an endpoint that is none
        raise ImageError("unreachable", f"the driver of {scheme}:// does not start: {type(error).__name__}") from error


def _bucket(path: str) -> str:
    return path.partition("/")[0]


def _etag(about: dict[str, Any]) -> str | None:
    """Quoted, however the driver has it: s3fs with quotes, gcsfs and adlfs without."""
    found = str(about.get("ETag") or about.get("etag") or "")
    return strong_etag(found if found.startswith(('"', "W/")) else f'"{found}"')


def _modified(about: dict[str, Any]) -> datetime | None:
    for name in TIMES:
        value = about.get(name)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                continue
        if isinstance(value, int | float):
            value = datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    return None
