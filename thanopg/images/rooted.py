"""Opening a regular file below a directory, and never anything else.

A path is resolved with its symbolic links, must end below the resolved root, and is then opened name by name
without following links, so that exchanging a part of it meanwhile leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType

from thanopg.errors import ImageError, ImageRootUnavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# O_PATH: a directory that may be passed through need not be readable. Only Linux has it.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
# O_NONBLOCK: opening a FIFO that nobody writes to would wait for ever
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

SURROUNDINGS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN})
"""not this file's fault: out of descriptors or memory, a network file system gone"""


class RootedFile:
    """An open regular file; a context manager that closes it."""

    def __init__(self, descriptor: int, status: os.stat_result) -> None:
        self._descriptor = descriptor
        self.size = status.st_size
        self.modified = _time(status.st_mtime_ns)

    def read(self, count: int) -> bytes:
        """At most `count` bytes. Raises ImageError, ImageRootUnavailable."""
        parts = []
        try:
            while count > 0 and (part := os.read(self._descriptor, min(count, 1 << 24))):
                parts.append(part)
                count -= len(part)
        except OSError as error:
            raise _fault(error) from error
        return b"".join(parts)

    def __enter__(self) -> RootedFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def open_under_root(root: Path, path: str) -> RootedFile:
    """Opens `path`, relative to `root` or absolute and below it. Raises ImageError, ImageRootUnavailable."""
    real_root = os.path.realpath(root)
    directory = _open_root(root, real_root)
    try:
        names = _names_below(real_root, path)
        for name in names[:-1]:
            deeper = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = deeper
        descriptor = os.open(names[-1], FILE, dir_fd=directory)
    except OSError as error:
        raise _fault(error) from error
    finally:
        os.close(directory)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _not_regular()
    return RootedFile(descriptor, status)


def spellings(path: str, root: Path) -> Iterator[str]:
    """Unicode forms of a path that may exist where the given one does not: composed, decomposed, name by name."""
    if path.isascii():
        return
    yield unicodedata.normalize("NFC", path)
    yield unicodedata.normalize("NFD", path)
    found = Path(root)
    for name in Path(path).parts:
        forms = (name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name))
        found = next((found / form for form in forms if os.path.lexists(found / form)), found / name)
    yield str(found)


def _open_root(root: Path, real_root: str) -> int:
    try:
        directory = os.open(real_root, DIRECTORY)
    except OSError as error:
        raise ImageRootUnavailable(f"the image root {root} can't be opened: {_reason(error)}") from error
    try:
        os.stat(".", dir_fd=directory)  # needs the right to search it
    except OSError as error:
        os.close(directory)
        raise ImageRootUnavailable(f"the image root {root} can't be read: {_reason(error)}") from error
    return directory


def _names_below(real_root: str, path: str) -> list[str]:
    try:
        resolved = os.path.realpath(Path(real_root) / path)
    except ValueError as error:  # not encodable as a file name
        raise ImageError("unsupported", "the path can't be a file name here") from error
    prefix = real_root if real_root.endswith("/") else real_root + "/"
    if resolved == real_root:
        raise _not_regular()
    if not resolved.startswith(prefix):
        raise ImageError("forbidden", "the path leads outside the image root")
    return resolved[len(prefix) :].split("/")


def _fault(error: OSError) -> ImageError | ImageRootUnavailable:
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        return ImageError("missing", "no such file")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ImageError("forbidden", "no permission to read the file")
    if error.errno == errno.ELOOP:
        return ImageError("forbidden", "a symbolic link leads nowhere")
    if error.errno in (errno.ENXIO, errno.EISDIR, errno.ENODEV):
        return _not_regular()
    if error.errno in SURROUNDINGS:
        return ImageRootUnavailable(f"the image root can't be read: {_reason(error)}")
    return ImageError("unreadable", f"the file can't be read: {_reason(error)}")


def _not_regular() -> ImageError:
    return ImageError("forbidden", "expected a regular file, not a directory, device, pipe or socket")


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _time(nanoseconds: int) -> datetime | None:
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:  # a file from beyond the year 9999
        return None
