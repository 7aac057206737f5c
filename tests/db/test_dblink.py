"""What an administrator decides about dblink: where it lies, and who may use it."""

from __future__ import annotations

import psycopg
import pytest

from tests.adapters import offer_dblink
from tests.contrib import needs_contrib
from tests.databases import Database
from tests.service_target import call, own_address
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer

IN_A_SCHEMA_OF_ITS_OWN = f"""
    CREATE EXTENSION vector;
    CREATE SCHEMA dblink;
    CREATE EXTENSION dblink SCHEMA dblink;
    GRANT USAGE ON SCHEMA dblink TO {OWNER};
"""
"""docs/deploy.md recommends it"""

pytestmark = needs_contrib


def test_in_a_schema_of_its_own_nobody_else_may_use_the_open_connection(
    server: EmbeddedServer, empty_database: Database
) -> None:
    offer_dblink(server, empty_database, IN_A_SCHEMA_OF_ITS_OWN)
    assert install(empty_database.url, service=own_address(server)).adapter == "dblink"
    with connect(empty_database.superuser_url, autocommit=True) as connection:
        role = f"app_{empty_database.name}"
        connection.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA thanopg TO {role}".encode())
        try:
            connection.execute(f"GRANT EXECUTE ON FUNCTION thanopg.service_call TO {role}; SET ROLE {role}".encode())
            assert call(connection, "SELECT 'through the door'") == "through the door"
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT * FROM dblink.dblink('thanopg_service', 'SELECT 1') AS a(b text)")
        finally:
            connection.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_the_extension_alone_is_not_enough(server: EmbeddedServer, empty_database: Database) -> None:
    offer_dblink(server, empty_database)
    with connect(empty_database.superuser_url, autocommit=True) as connection:
        connection.execute(f"REVOKE USAGE ON FOREIGN DATA WRAPPER dblink_fdw FROM {OWNER}")
    report = install(empty_database.url)
    assert report.adapter == "none"
    with connect(empty_database.superuser_url, autocommit=True) as connection:
        connection.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")
    assert install(empty_database.url, service=own_address(server)).adapter == "dblink"
    with connect(empty_database.url) as connection:
        assert call(connection, "SELECT 'now'") == "now"
