"""A new database cluster: initdb, the settings of a small machine, who logs in, the owner's database."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from psycopg import sql

from thanopg.database.account import Account
from thanopg.database.binaries import Binaries
from thanopg.database.connect import Connection
from thanopg.database.failure import failure_of
from thanopg.database.home import Home, Secrets
from thanopg.database.steps import only, run

SUPERUSER = "postgres"
OWNER = "thanopg_owner"  # not "thanopg": "$user" in search_path would put the tables of that role into our schema
WORKER = "thanopg_home_worker"  # of every worker of this home; the rights are those of thanopg_worker
DATABASE = "thanopg"
LARGE_SHARED_MEMORY = 512 * 1024 * 1024
LEAST_CACHE = 512 * 1024 * 1024
LEAST_BUFFERS, MOST_BUFFERS = 128 * 1024 * 1024, 1024 * 1024 * 1024
CONTAINER_MEMORY = Path("/sys/fs/cgroup/memory.max")

SETTINGS = """\
# written by thanopg at every start; change settings with ALTER SYSTEM, which wins over this file
max_connections = 200
maintenance_work_mem = 128MB
max_wal_size = 1GB
random_page_cost = 1.1
"""
FAST_SETTINGS = """\
# a server for tests: a crash of the machine may lose it
shared_buffers = 128MB
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def create_cluster(home: Home, binaries: Binaries, account: Account, secrets: Secrets, *, fast: bool) -> None:
    """initdb beside the final place, then a rename: nothing stays half made. Raises ServerStartError."""
    half = home.data.with_name(home.data.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    account.make_directory(half)
    with tempfile.NamedTemporaryFile("w", dir=home.path) as password_file:
        password_file.write(secrets.superuser)
        password_file.flush()
        if account.switch:
            os.chown(password_file.name, account.uid, account.gid)
        result = account.run(
            [
                binaries.program("initdb"),
                f"--pgdata={half}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=libc",
                "--locale=C.UTF-8",
                "--no-instructions",
                *(["--no-sync"] if fast else []),
            ]
        )
    if result.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise failure_of(result.stdout, home.path)
    configuration = os.open(half / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
    with os.fdopen(configuration, "a") as file:
        file.write(f"\ninclude_if_exists = '../{home.settings.name}'\n")
    half.rename(home.data)


def write_settings(home: Home, *, fast: bool) -> None:
    settings = SETTINGS + _memory() + _dynamic_shared_memory()
    home.settings.write_text(settings + (FAST_SETTINGS if fast else ""))
    home.settings.chmod(0o644)


def ensure_roles(connection: Connection, secrets: Secrets) -> None:
    """The role that owns everything of ours, its database, its workers' role, and those that a restored dump expects.

    `connection` is a superuser's, autocommit.
    """
    run(connection, only("roles"))
    _ensure_login(connection, OWNER, secrets.owner)
    _ensure_login(connection, WORKER, secrets.worker)
    connection.execute(sql.SQL("GRANT thanopg_worker TO {}").format(sql.Identifier(WORKER)))
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
        )


def _ensure_login(connection: Connection, name: str, password: str) -> None:
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier))
        )


def _memory() -> str:
    """What this machine's size decides.

    The server's own pages take an eighth: an index that lies in the operating system's cache alone costs every search a
    copy of each page that it looks at. More than a gigabyte would make every start slower. The planner may expect half
    to be cached; `thanopg index` takes up to a quarter of that half.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # a container's share, if it has one
        memory = min(memory, int(CONTAINER_MEMORY.read_text()))
    buffers = min(max(memory // 8, LEAST_BUFFERS), MOST_BUFFERS)
    return f"shared_buffers = {buffers // 1024}kB\neffective_cache_size = {max(memory // 2, LEAST_CACHE) // 1024}kB\n"


def _dynamic_shared_memory() -> str:
    """Containers have 64 MB of /dev/shm, too little for a parallel index build: then files in the data directory."""
    try:
        found = os.statvfs(Path("/dev/shm"))  # noqa: S108 - only its size is read
    except OSError:
        return ""
    return "" if found.f_bavail * found.f_frsize >= LARGE_SHARED_MEMORY else "dynamic_shared_memory_type = mmap\n"
