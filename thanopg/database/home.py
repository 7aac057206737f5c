"""The home directory of an embedded server: which file lies where, who may enter, and the secrets."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from thanopg.config import command_for
from thanopg.database.account import Account
from thanopg.database.binaries import MAJOR
from thanopg.errors import ServerStartError

PORT = 5432
"""part of the socket's name; nothing listens on it unless asked"""
LONGEST_SOCKET_PATH = 100
"""bytes; the system's limit is 107 on Linux, 103 on macOS"""


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Passwords made on the first start."""

    superuser: str = field(repr=False)
    owner: str = field(repr=False)
    service: str = field(repr=False)
    worker: str = field(repr=False, default="")
    """empty until a server of this version has started in a home that an older one made"""


@dataclass(frozen=True)
class Home:
    """Paths below one home directory."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / f"data{MAJOR}"

    @property
    def library(self) -> Path:
        return self.path / "lib"

    @property
    def settings(self) -> Path:
        """Outside the data directory: as root we write nothing where the server's account could put a link."""
        return self.path / "thanopg.conf"

    @property
    def log(self) -> Path:
        return self.path / "log" / "server.log"

    @property
    def lock(self) -> Path:
        return self.path / "lock"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets.json"

    @property
    def socket_directory(self) -> Path:
        """`run/` in the home, or where a socket cannot have that name a private directory in the temporary one."""
        inside = self.path / "run"
        if _socket_length(inside) <= LONGEST_SOCKET_PATH and "," not in str(
            inside
        ):  # libpq takes a comma for two hosts
            return inside
        name = f"thanopg-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"
        for place in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - 0700, its owner is checked
            if _socket_length(place / name) <= LONGEST_SOCKET_PATH:
                return place / name
        raise ServerStartError(
            f"the path of {self.path} is too long for a socket", hint="choose a shorter THANOPG_HOME"
        )

    def make(self, account: Account) -> None:
        """The home itself. Raises ServerStartError when the account could not pass through it."""
        if ":" in str(self.path):
            raise ServerStartError(
                f"the home's path must not contain a colon: {self.path}", hint="choose another THANOPG_HOME"
            )
        with explained(self.path):
            _make_home(self.path, account)

    def furnish(self, account: Account) -> None:
        """The directories in it; the caller holds the lock. Raises ServerStartError."""
        with explained(self.path):
            self.library.mkdir(exist_ok=True)
            self.library.chmod(0o755)
            self.log.parent.mkdir(mode=0o700, exist_ok=True)
            account.make_directory(self.socket_directory)

    def read_secrets(self) -> Secrets:
        """Raises ServerStartError when there are none, or none that we may read."""
        try:
            return Secrets(**json.loads(self.secrets.read_text()))
        except FileNotFoundError as error:
            raise ServerStartError(
                f"there is no server in {self.path} yet", hint=f"start it with: {command_for(self.path, 'up')}"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise ServerStartError(
                f"could not read the passwords in {self.secrets}", hint="run as the user who made this home"
            ) from error

    def ensure_secrets(self) -> Secrets:
        if self.secrets.exists():
            found = self.read_secrets()
            return found if found.worker else self._write_secrets(replace(found, worker=secrets.token_urlsafe(24)))
        if self.data.exists():
            raise ServerStartError(
                f"{self.secrets} is lost, and {self.data} cannot be opened without it",
                hint="restore it, or move the home away and start anew",
            )
        return self._write_secrets(Secrets(**{made.name: secrets.token_urlsafe(24) for made in fields(Secrets)}))

    def _write_secrets(self, made: Secrets) -> Secrets:
        half = self.secrets.with_name("secrets.json.half")
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(vars(made), file)
            file.flush()
            os.fsync(file.fileno())
        half.rename(self.secrets)
        return made


def _socket_length(directory: Path) -> int:
    return len(os.fsencode(directory / f".s.PGSQL.{PORT}"))


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Errors of the file system below a home as ServerStartError."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ServerStartError(
            f"could not prepare {error.filename or path}: {(error.strerror or str(error)).lower()}",
            hint=f"free some space on the disk of {path}"
            if full
            else "choose a home that you may write to: THANOPG_HOME",
        ) from error


def _make_home(path: Path, account: Account) -> None:
    made = not path.exists()
    if made:
        for parent in reversed([parent for parent in path.parents if not parent.exists()]):
            parent.mkdir(exist_ok=True)
            parent.chmod(0o755 if account.switch else 0o700)
        path.mkdir(mode=0o700, exist_ok=True)
    if not account.switch or account.can_enter(path):
        return
    ours = made or not any(path.iterdir()) or (path / "secrets.json").exists()
    if ours and path.stat().st_uid == os.geteuid():
        path.chmod(path.stat().st_mode & 0o777 | 0o011)  # may be passed through, not listed
    if not account.can_enter(path):
        raise ServerStartError(
            f"the server runs as {account.name}, who cannot enter {path}",
            hint="choose a home whose directories everybody may pass, such as THANOPG_HOME=/var/lib/thanopg",
        )
