"""A server of another version, PostgreSQL 16 of the same wheel: install, and both ways to the service."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import Connection

from tests.adapters import ADAPTERS, ADMINISTRATOR
from tests.contrib import Contrib
from tests.databases import Database, make_home
from tests.service_target import call
from thanopg.database.account import server_account
from thanopg.database.binaries import Binaries, wheel_binaries
from thanopg.database.cluster import OWNER, create_cluster, ensure_owner, write_settings
from thanopg.database.connect import connect
from thanopg.database.home import Home
from thanopg.database.install import install
from thanopg.database.launch import launch
from thanopg.database.native_build import build_one
from thanopg.database.native_library import LIBRARY
from thanopg.database.service_address import ServiceAddress


@pytest.fixture(scope="module", params=ADAPTERS)
def installed(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Database `thanopg` of a PostgreSQL 16, which itself plays the service."""
    adapter = str(request.param)
    home = make_home()
    place, account = Home(home), server_account(home / "data18")
    place.make(account)
    place.furnish(account)
    secrets = place.ensure_secrets()
    root = wheel_binaries().root.with_name("pginstall")
    if adapter == "dblink":
        root = with_contrib(root, home)
    binaries = Binaries(root=root, major=16)
    create_cluster(place, binaries, account, secrets, fast=True)
    write_settings(place, fast=True)
    if adapter == "native":
        build_one(16, place.library / LIBRARY).chmod(0o755)
    settings = {
        "unix_socket_directories": str(place.socket_directory),
        "listen_addresses": "",
        "dynamic_library_path": f"$libdir:{place.library}",
    }
    process = launch(place, binaries, account, settings)
    try:
        where = f"@/{{}}?host={quote(str(place.socket_directory), safe='')}"
        superuser = f"postgresql://postgres:{secrets.superuser}{where}"
        database = Database(
            "thanopg",
            f"postgresql://{OWNER}:{secrets.owner}{where.format('thanopg')}",
            superuser.format("thanopg"),
        )
        with connect(superuser.format("postgres"), autocommit=True) as connection:
            assert connection.info.server_version // 10000 == 16
            ensure_owner(connection, secrets)
        if adapter == "dblink":
            with connect(database.superuser_url, autocommit=True) as connection:
                connection.execute(ADMINISTRATOR)
                connection.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")
        address = ServiceAddress(host=str(place.socket_directory), port=5432, user=OWNER, password=secrets.owner)
        superuser_url = database.superuser_url if adapter == "native" else None
        assert install(database.url, service=address, superuser_url=superuser_url).adapter == adapter
        yield database
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(home)


@pytest.fixture
def caller(installed: Database) -> Iterator[Connection]:
    with connect(installed.url, autocommit=True) as connection:
        yield connection


def test_answer(caller: Connection) -> None:
    version = str(caller.info.server_version)
    for _ in range(2):
        assert call(caller, "SELECT current_setting('server_version_num')") == version
    assert call(caller, "SELECT 'late' FROM pg_sleep(0.05)") == "late"


def test_a_time_limit_ends_the_call(caller: Connection) -> None:
    """Before PostgreSQL 17 dblink itself does not hear of it."""
    begin = time.monotonic()
    caller.execute("SET statement_timeout = '100ms'")
    for _ in range(2):
        with pytest.raises(psycopg.errors.QueryCanceled):
            call(caller, "SELECT pg_sleep(60)::text")
    assert time.monotonic() - begin < 30
    caller.execute("RESET statement_timeout")
    assert call(caller, "SELECT 'again'") == "again"


def with_contrib(root: Path, home: Path) -> Path:
    """A copy of the installation that has dblink: this version knows no extension_control_path."""
    copy, contrib = home / "postgresql" / root.parent.name / root.name, Contrib(16)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns("include", "*.a", "pgxs"))
    shutil.copytree(contrib.libraries, copy / "lib" / "postgresql", dirs_exist_ok=True)  # libpq is the wheel's own
    libraries = root.parent.with_name(root.parent.name + ".libs")  # those that the wheel was repaired with
    if libraries.is_dir():
        shutil.copytree(libraries, copy.parent.with_name(libraries.name))
    shutil.copytree(contrib.share / "extension", copy / "share" / "postgresql" / "extension", dirs_exist_ok=True)
    return copy
