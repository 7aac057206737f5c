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

from thanopg.database.account import Account, server_account
from thanopg.database.binaries import Binaries, reachable_binaries, wheel_binaries
from thanopg.database.cluster import DATABASE, OWNER, SUPERUSER, create_cluster, ensure_owner, write_settings
from thanopg.database.connect import Connection, connect
from thanopg.database.failure import failure_of
from thanopg.database.home import PORT, Home
from thanopg.database.native_library import ensure_native_library
from thanopg.database.postmaster import Postmaster, find_postmaster, recorded_pid
from thanopg.database.service_address import ServiceAddress
from thanopg.errors import ServerStartError

LOCK_SECONDS = 120.0
START_SECONDS = 120.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
LARGEST_LOG = 10 * 1024 * 1024


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
    def superuser_url(self) -> str:
        return self._url(SUPERUSER, self.home.read_secrets().superuser, DATABASE)

    @property
    def socket_directory(self) -> Path:
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
        """The path of psql, pg_dump, …; for us to run, not for the server's account."""
        return wheel_binaries().program(name)

    # --- start and stop --------------------------------------------------------------------------------------------

    def start(self, *, detach: bool = False) -> None:
        """Start, or join the one that runs. Safe against others who do the same. Raises ServerStartError."""
        account = server_account()
        self.home.prepare(account)
        with self._locked():
            postmaster = find_postmaster(self.home.data)
            if postmaster is None or not self._settled(postmaster):
                self._start(account, detach=detach)
            with self._connect_superuser() as connection:
                ensure_owner(connection, self.home.read_secrets())

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back. Stopping a stopped server is fine."""
        if not self.home.lock.exists():
            return
        with self._locked():
            self._dismiss_keeper()
            postmaster = find_postmaster(self.home.data)
            if postmaster is None:
                return
            for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, STOP_SECONDS / 3)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(postmaster.pid, number)
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
        binaries = reachable_binaries(self.home.path, account)
        secrets = self.home.ensure_secrets()
        if not self.home.data.exists():
            create_cluster(self.home, binaries, account, secrets, fast=self.fast)
        write_settings(self.home, account, fast=self.fast)
        ensure_native_library(self.home.library)
        self._launch(binaries, account)
        if not detach:
            self._keeper = _keep(binaries, self.home.data, account)

    def _launch(self, binaries: Binaries, account: Account) -> None:
        options = account.process_options()
        leftover = recorded_pid(self.home.data)
        if leftover is not None:
            # The process of a stale postmaster.pid is not a server of this home (we looked), but its number may have
            # been given to another process. The server ignores the number of its "grandparent"; its check for shared
            # memory that is still in use stays.
            options["env"]["PG_GRANDPARENT_PID"] = str(leftover)
        self._rotate_log()
        with self.home.log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                self._command(binaries),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
                **options,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = None
                raise failure_of(self._log_from(begin), self.home.path)
            postmaster = find_postmaster(self.home.data)
            if postmaster is not None and postmaster.pid == self._process.pid and postmaster.ready:
                return
            time.sleep(POLL_SECONDS)
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(STOP_SECONDS)
        raise ServerStartError(
            f"the embedded server was not ready within {START_SECONDS:.0f} s", hint=f"read {self.home.log}"
        )

    def _command(self, binaries: Binaries) -> list[str]:
        settings = {
            "unix_socket_directories": f'"{self.socket_directory}"',
            "unix_socket_permissions": "0700",
            "listen_addresses": "127.0.0.1" if self.port else "",
            "port": str(PORT),
            "dynamic_library_path": f"$libdir:{self.home.library}",
        }
        if self.port:
            settings["port"] = str(self.port)
        arguments = [os.fspath(binaries.program("postgres")), "-D", os.fspath(self.home.data)]
        for name, value in settings.items():
            arguments += ["-c", f"{name}={value}"]
        return arguments

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

    def _wait_until_gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                self._process = None
            if self._process is None and find_postmaster(self.home.data) is None:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _dismiss_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.kill()
            self._keeper.wait(STOP_SECONDS)
            assert self._keeper.stdin is not None
            self._keeper.stdin.close()
            self._keeper = None

    def _connect_superuser(self) -> Connection:
        url = self._url(SUPERUSER, self.home.read_secrets().superuser, "postgres")
        return connect(url, application_name="thanopg server", autocommit=True)

    def _url(self, user: str, password: str, database: str) -> str:
        host = quote(str(self.socket_directory), safe="")
        return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={host}&port={self.port or PORT}"

    def _log_from(self, offset: int) -> str:
        with self.home.log.open("rb") as file:
            file.seek(offset)
            return file.read(LARGEST_LOG).decode(errors="replace")

    def _rotate_log(self) -> None:
        if self.home.log.exists() and self.home.log.stat().st_size > LARGEST_LOG:
            self.home.log.replace(self.home.log.with_suffix(".log.1"))

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
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise ServerStartError(
                            f"another thanopg has been starting or stopping the server of {self.home.path} for too long"
                        ) from None
                    time.sleep(POLL_SECONDS)
            yield  # the lock goes when the file is closed


def _keep(binaries: Binaries, data: Path, account: Account) -> subprocess.Popen[bytes]:
    """A shell that waits for the end of its input, which comes however we end, and then stops the server."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; exec "$0" stop -s -m fast -D "$1"', binaries.program("pg_ctl"), data],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **account.process_options(),
    )
