"""What an administrator decides about dblink: where it lies, and who may use it."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.service_fixtures import running
from tests.adapters import let_load_contrib, offer_dblink
from tests.command import ROOT
from tests.contrib import needs_contrib
from tests.databases import Database
from tests.service_target import call, own_address
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress

PAGE = (ROOT / "docs" / "deploy.md").read_text()
ADMINISTRATOR = PAGE.partition("**Once, an administrator**")[2].partition("```sql\n")[2].partition("```")[0]
"""docs/deploy.md: what an administrator does for the owner, there called shop"""

pytestmark = needs_contrib


def test_what_the_page_tells_an_administrator_closes_the_open_connection_to_others(
    server: EmbeddedServer, empty_database: Database
) -> None:
    let_load_contrib(server, empty_database.name)
    with connect(empty_database.superuser_url, autocommit=True) as administrator:
        for statement in filter(str.strip, ADMINISTRATOR.split(";")):
            if "CREATE ROLE" not in statement:  # the cluster of the tests has them
                administrator.execute(re.sub(r"\bshop\b", OWNER, statement).encode())
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


def test_postgres_fdw_holds_the_address_where_dblink_fdw_may_not_be_used(
    server: EmbeddedServer, empty_database: Database
) -> None:
    """As on servers whose provider grants only that one."""
    offer_dblink(server, empty_database)
    with connect(empty_database.superuser_url, autocommit=True) as administrator:
        administrator.execute(f"REVOKE USAGE ON FOREIGN DATA WRAPPER dblink_fdw FROM {OWNER}")
        administrator.execute("CREATE EXTENSION postgres_fdw")
        administrator.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO {OWNER}")
        for service, wrapper in ((own_address(server), "postgres_fdw"), (None, "dblink_fdw")):
            report = install(empty_database.url, service=service)
            assert (report.adapter, report.warnings) == ("dblink", ())
            with connect(empty_database.url) as connection:
                found = connection.execute(
                    "SELECT fdwname FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw"
                )
                assert found.fetchall() == [(wrapper,)]
                assert call(connection, "SELECT '밝은 빨간색'") == "밝은 빨간색"
                with pytest.raises(psycopg.errors.DivisionByZero):
                    call(connection, "SELECT (1 / 0)::text")
            administrator.execute(f"GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO {OWNER}")


def test_a_superuser_s_install_offers_dblink_where_the_library_is_missing(
    server: EmbeddedServer, empty_database: Database
) -> None:
    let_load_contrib(server, empty_database.name)
    with connect(empty_database.superuser_url, autocommit=True) as connection:
        path = connection.execute("SHOW dynamic_library_path").fetchone()
        assert path is not None
        elsewhere = ":".join(part for part in path[0].split(":") if part != str(server.home.library))
        connection.execute(f"ALTER DATABASE {empty_database.name} SET dynamic_library_path = '{elsewhere}'".encode())
    report = install(empty_database.url, service=own_address(server), superuser_url=empty_database.superuser_url)
    assert report.adapter == "dblink"
    with connect(empty_database.url) as connection:
        assert call(connection, "SELECT 'reached'") == "reached"


def test_the_owner_may_insist_on_tls(server: EmbeddedServer, empty_database: Database) -> None:
    """With options of libpq on the SERVER, which a later install leaves alone."""
    offer_dblink(server, empty_database)
    fixtures = Path(running.__file__).parent
    certificate, key = fixtures / "localhost.pem", fixtures / "localhost.key"
    trusted = empty_database.name + ".pem"
    with running.RunningService(tls_certificate=certificate, tls_key=key) as service:
        address = ServiceAddress(host="localhost", port=service.port, user=running.USER, password=running.PASSWORD)
        install(empty_database.url, service=address)
        copy = server.home.library / trusted  # where the server's account can read it
        copy.write_bytes(certificate.read_bytes())
        copy.chmod(0o644)
        with connect(empty_database.url, autocommit=True) as owner:
            statement = "ALTER SERVER thanopg_service OPTIONS (ADD sslmode 'verify-full', ADD sslrootcert '{}')"
            owner.execute(statement.format(copy).encode())
            assert call(owner, "SELECT 1") == "1"
    with running.RunningService(port=address.port) as plain:  # somebody else there, without a certificate
        assert plain.port == address.port
        install(empty_database.url)
        with connect(empty_database.url, autocommit=True) as owner:
            with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
                call(owner, "SELECT 1")
            assert "server does not support SSL" in str(caught.value.diag.message_detail)
