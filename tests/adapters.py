"""For tests that depend on how SQL reaches the service: they run over the native function and over dblink."""

from __future__ import annotations

import pytest
from psycopg import sql

from tests.contrib import Contrib, needs_contrib
from tests.databases import Database, in_database
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress

ADAPTERS = ["native", pytest.param("dblink", marks=needs_contrib)]
over_both = pytest.mark.parametrize("adapter", ADAPTERS)
"""for a test of the fixtures `database` or `connection`"""
ADMINISTRATOR = "CREATE EXTENSION vector; CREATE EXTENSION dblink"
"""what an administrator runs before install, beside the grant"""


def install_over(adapter: str, server: EmbeddedServer, database: Database, service: ServiceAddress | None) -> None:
    """Install into an empty database so that install itself chooses this adapter."""
    if adapter == "native":
        report = install(database.url, service=service, superuser_url=database.superuser_url)
    else:
        offer_dblink(server, database)
        report = install(database.url, service=service)
    assert report.adapter == adapter


def offer_dblink(server: EmbeddedServer, database: Database) -> None:
    let_load_contrib(server, database.name)
    with connect(database.superuser_url, autocommit=True) as connection:
        connection.execute(ADMINISTRATOR)
        connection.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")


def let_load_contrib(server: EmbeddedServer, database: str) -> None:
    """From now on sessions of this database find the extensions; a clone does not inherit it."""
    contrib = Contrib()
    settings = {
        "extension_control_path": f"$system:{contrib.share}",
        "dynamic_library_path": f"$libdir:{server.home.library}:{contrib.libraries}",
    }
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as connection:
        for name, value in settings.items():
            statement = sql.SQL("ALTER DATABASE {} SET {} = {}")
            connection.execute(statement.format(sql.Identifier(database), sql.Identifier(name), sql.Literal(value)))
