"""A server of another version, PostgreSQL 16 of the same wheel: install, and both ways to the service."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.adapters import ADAPTERS, ADMINISTRATOR
from tests.databases import Database
from tests.plain_server import plain_server
from tests.service_target import call
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.native_build import build_one
from thanopg.database.native_library import LIBRARY
from thanopg.database.service_address import ServiceAddress

OWNER = "shop_owner"


@pytest.fixture(scope="module", params=ADAPTERS)
def installed(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database of a PostgreSQL 16, which itself plays the service."""
    adapter = str(request.param)
    with plain_server(major=16, contrib=adapter == "dblink") as server:
        database = Database("thanopg", server.url("thanopg", OWNER, "secret"), server.url("thanopg"))
        with connect(server.url("postgres"), autocommit=True) as administrator:
            assert administrator.info.server_version // 10000 == 16
            administrator.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD 'secret'")
            administrator.execute(f"CREATE DATABASE thanopg OWNER {OWNER}")
        address = ServiceAddress(host=str(server.place.socket_directory), port=5432, user=OWNER, password="secret")
        if adapter == "native":
            build_one(16, server.place.library / LIBRARY).chmod(0o755)
            report = install(database.url, service=address, superuser_url=database.superuser_url)
        else:
            with connect(database.superuser_url, autocommit=True) as administrator:
                administrator.execute(ADMINISTRATOR)
                administrator.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")
                administrator.execute("CREATE ROLE thanopg_reader; CREATE ROLE thanopg_worker")
            report = install(database.url, service=address)
        assert (report.adapter, report.warnings) == (adapter, ())
        yield database


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
