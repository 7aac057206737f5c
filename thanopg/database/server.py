"""The embedded PostgreSQL server of one home directory: started when needed, joined when it runs already.

Started with `detach=True` it outlives us; otherwise it is shut down when we end, even when we are killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg

from thanopg.config import command_for
from thanopg.database.account import Account, server_account
from thanopg.database.binaries import reachable_binaries, wheel_binaries
from thanopg.database.cluster import DATABASE, OWNER, SUPERUSER, WORKER, create_cluster, ensure_roles, write_settings
from thanopg.database.connect import Connection, connect
from thanopg.database.home import PORT, Home, explained
from thanopg.database.launch import POLL_SECONDS, START_SECONDS, STOP_SECONDS, dismiss, keep, launch
from thanopg.database.native_library import ensure_native_library
from thanopg.database.postmaster import Postmaster, find_postmaster
from thanopg.database.service_address import ServiceAddress
from thanopg.errors import DatabaseUnavailable, ServerStartError

LOCK_SECONDS = 120.0
ENDING_SECONDS = 5.0


class EmbeddedServer:
    """`fast` trades durability for speed, for tests. `port` opens TCP on loopback as well."""

    def __init__(self, home: Path, *, fast: bool = False, port: int | None = None) -> None:
        self.home = Home(Path(home).expanduser().absolute())
        self.fast = fast
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: subprocess.Popen[bytes] | None = None

    # --- what it is called -----------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """As the role that owns the database `thanopg` and is no superuser."""
        return self._url(OWNER, self.home.read_secrets().owner, DATABASE)

    @property
    def worker_url(self) -> str:
        """As a member of thanopg_worker that owns nothing."""
        password = self.home.read_secrets().worker
        if not password:
            raise ServerStartError(
                f"the server of {self.home.path} was started by an older thanopg, without a role for workers",
                hint=f"start it again: {command_for(self.home.path, 'down')}, then {command_for(self.home.path, 'up')}",
            )
        return self._url(WORKER, password, DATABASE)

    @property
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, self.home.read_secrets().superuser, DATABASE)

    @property
    def socket_directory(self) -> Path:
        """Private to the server's account and root; the embedding service puts its socket there as well."""
        return self.home.socket_directory

    @property
    def service_address(self) -> ServiceAddress:
        """Where this home's embedding service listens: a socket beside the server's."""
        return ServiceAddress(host=str(self.socket_directory), password=self.home.read_secrets().service)

    @property
    def running(self) -> bool:
        """Does it accept connections?"""
        postmaster = find_postmaster(self.home.data)
        return postmaster is not None and postmaster.ready

    def bin(self, name: str) -> Path:
        """The path of psql, pg_dump, …, for us to run. Raises ServerStartError."""
        return wheel_binaries().program(name)

    # --- start and stop --------------------------------------------------------------------------------------------

    def start(self, *, detach: bool = False) -> None:
        """Start, or join the one that runs. Safe against others who do the same. Raises ServerStartError."""
        account = server_account(self.home.data)
        self.home.make(account)
        with self._locked():
            self.home.furnish(account)
            postmaster = find_postmaster(self.home.data)
            if postmaster is None or not self._settled(postmaster) or not self._joined():
                with explained(self.home.path):
                    self._start(account, detach=detach)
                self._ensure_roles()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back. A stopped server is fine. Raises ServerStartError."""
        if not self.home.lock.exists():
            return
        with self._locked():
            if self._keeper is not None:
                dismiss(self._keeper)
                self._keeper = None
            postmaster = find_postmaster(self.home.data)
            if postmaster is None:
                return
            for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS / 3)):
                self._signal(postmaster, number)
                if self._wait_until_gone(seconds):
                    return
            raise ServerStartError(
                f"the embedded server did not stop within {STOP_SECONDS:.0f} s",
                hint=f"its process id is {postmaster.pid}",
            )

    def __enter__(self) -> EmbeddedServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:  # one that we only joined is not ours to stop
            self.stop()

    # --- inside ----------------------------------------------------------------------------------------------------

    def _start(self, account: Account, *, detach: bool) -> None:
        binaries = reachable_binaries(wheel_binaries(), self.home.path, account)
        secrets = self.home.ensure_secrets()
        if not self.home.data.exists():
            create_cluster(self.home, binaries, account, secrets, fast=self.fast)
        write_settings(self.home, fast=self.fast)
        ensure_native_library(self.home.library)
        self._process = launch(self.home, binaries, account, self._settings())
        if self._keeper is not None:  # that of a server that crashed
            dismiss(self._keeper)
            self._keeper = None
        if not detach:
            self._keeper = keep(binaries, self.home.data, account)

    def _settings(self) -> dict[str, str]:
        quoted = str(self.socket_directory).replace('"', '""')
        return {
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(self.port or PORT),
            "dynamic_library_path": f"$libdir:{self.home.library}",
        }

    def _settled(self, postmaster: Postmaster) -> bool:
        """A server that somebody else is starting or stopping: wait for the outcome. True: it accepts connections."""
        deadline = time.monotonic() + START_SECONDS
        found: Postmaster | None = postmaster
        while found is not None and time.monotonic() < deadline:
            if found.ready:
                return True
            time.sleep(POLL_SECONDS)
            found = find_postmaster(self.home.data)
        if found is not None:
            raise ServerStartError(f"the embedded server has been {found.status or 'starting'} for too long")
        return False

    def _joined(self) -> bool:
        """False: the server that accepted connections was about to end, as one does that was just killed."""
        try:
            self._ensure_roles()
        except (DatabaseUnavailable, psycopg.OperationalError):
            if not self._wait_until_gone(ENDING_SECONDS):
                raise
            return False
        return True

    def _ensure_roles(self) -> None:
        with self._connect_superuser() as connection:
            ensure_roles(connection, self.home.ensure_secrets())

    def _signal(self, postmaster: Postmaster, number: signal.Signals) -> None:
        try:
            os.kill(postmaster.pid, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise ServerStartError(
                f"the embedded server of {self.home.path} belongs to another user",
                hint="stop it as the user who started it",
            ) from error

    def _wait_until_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                self._process = None
            if self._process is None and find_postmaster(self.home.data) is None:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _connect_superuser(self) -> Connection:
        url = self._url(SUPERUSER, self.home.read_secrets().superuser, "postgres")
        return connect(url, application_name="thanopg server", autocommit=True)

    def _url(self, user: str, password: str, database: str) -> str:
        postmaster = find_postmaster(self.home.data)  # whoever started it chose the port
        port = postmaster.port if postmaster and postmaster.port else self.port or PORT
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={host}&port={port}"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One at a time starts or stops the server of a home. Raises ServerStartError when it takes too long."""
        try:
            file = self.home.lock.open("ab")
        except OSError as error:
            raise ServerStartError(
                f"could not open {self.home.lock}: {(error.strerror or '').lower()}",
                hint="run as the user who made this home, or choose another: THANOPG_HOME",
            ) from error
        with file:
            deadline = time.monotonic() + LOCK_SECONDS
            while not _try_to_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise ServerStartError(
                        f"another thanopg has been starting or stopping the server of {self.home.path} for too long"
                    )
                time.sleep(POLL_SECONDS)
            yield  # the lock goes when the file is closed


def _try_to_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
