"""pgbouncer in transaction mode in front of the session's server, as Supabase, Neon and many others have one."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.databases import make_home
from thanopg.database.account import server_account
from thanopg.database.cluster import OWNER
from thanopg.database.server import EmbeddedServer

START_SECONDS = 20
PORT = 6432
PROGRAM = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")

needs_pgbouncer = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true",
    reason="transaction-mode pooling is NOT TESTED: there is no pgbouncer (apt-get install pgbouncer)",
)


class Pgbouncer:
    """`with Pgbouncer(server, connections=2) as pool`: all clients share that many connections to the server."""

    def __init__(self, server: EmbeddedServer, *, connections: int) -> None:
        assert PROGRAM is not None, "pgbouncer is not installed"
        self.directory = make_home()
        self._account = server_account(server.home.data)
        secret = str(conninfo_to_dict(server.url)["password"])
        self._secret = quote(secret, safe="")
        users = self._write("users.txt", f'"{OWNER}" "{secret}"\n')
        self._configuration = self._write(
            "pgbouncer.ini",
            f"""\
[databases]
* = host={server.socket_directory} port=5432

[pgbouncer]
listen_port = {PORT}
unix_socket_dir = {self.directory}
auth_type = scram-sha-256
auth_file = {users}
logfile = {self.directory}/pgbouncer.log
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 100
""",
        )
        self.directory.chmod(0o777)  # its account writes log and socket there

    def url(self, database: str) -> str:
        return f"postgresql://{OWNER}:{self._secret}@/{database}?host={quote(str(self.directory), safe='')}&port={PORT}"

    def connect(self, database: str) -> psycopg.Connection:
        """Without prepared statements, as behind any pool of this kind."""
        return psycopg.connect(self.url(database), autocommit=True, prepare_threshold=None)

    def __enter__(self) -> Pgbouncer:
        command = [str(PROGRAM), str(self._configuration)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._account.process_options()
        )
        deadline = time.monotonic() + START_SECONDS
        while not (self.directory / f".s.PGSQL.{PORT}").exists():
            assert self._process.poll() is None and time.monotonic() < deadline, self._log()
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.directory)

    def _write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        if self._account.switch:
            os.chown(path, self._account.uid, self._account.gid)
        return path

    def _log(self) -> str:
        log = self.directory / "pgbouncer.log"
        return log.read_text() if log.exists() else "pgbouncer wrote no log"
