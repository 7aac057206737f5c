"""install: whole, twice, racing, as a role that is no superuser, and what it refuses."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection, sql

from tests.databases import Database, in_database
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import InstallReport, install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress
from thanopg.errors import DatabaseUnavailable, InstallError


def dump(server: EmbeddedServer, url: str) -> str:
    """The schema as SQL, without the tokens that differ between two dumps."""
    command = [server.bin("pg_dump"), "--schema-only", "--restrict-key=same", f"--dbname={url}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def administrator(server: EmbeddedServer) -> Iterator[Connection]:
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as connection:
        yield connection


def test_short_names_work_for_a_role_that_is_no_superuser(connection: Connection) -> None:
    assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)
    assert connection.execute("SELECT to_regprocedure('embed_text(text, text)') IS NOT NULL").fetchone() == (True,)
    assert connection.execute("SHOW search_path").fetchone() == ('"$user", public, thanopg',)


def test_everything_but_the_native_call_belongs_to_the_owner(connection: Connection) -> None:
    others = connection.execute(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'thanopg'::regnamespace AND proowner <> %(me)s::regrole "
        "UNION ALL "
        "SELECT relname FROM pg_class WHERE relnamespace = 'thanopg'::regnamespace AND relowner <> %(me)s::regrole",
        {"me": OWNER},
    ).fetchall()
    assert others == [("native_call",)]


def test_twice_changes_nothing(server: EmbeddedServer, database: Database) -> None:
    before = dump(server, database.superuser_url)
    report = install(database.url, service=server.service_address, superuser_url=database.superuser_url)
    assert report == InstallReport(revision=report.revision, adapter="native", warnings=())
    assert dump(server, database.superuser_url) == before


def test_again_without_superuser_and_address_keeps_both(server: EmbeddedServer, database: Database) -> None:
    before = dump(server, database.superuser_url)
    assert install(database.url).adapter == "native"
    assert dump(server, database.superuser_url) == before


def test_a_changed_address_is_taken_over(database: Database, connection: Connection) -> None:
    install(database.url, service=ServiceAddress(host="elsewhere.example", port=7000, user="u", password="new"))
    options = connection.execute(
        "SELECT srvoptions::text, umoptions::text FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = m.srvid"
    ).fetchone()
    assert options == (
        "{host=elsewhere.example,port=7000,dbname=thanopg,connect_timeout=2}",
        "{user=u,password=new}",
    )


def test_racing_installs(server: EmbeddedServer, empty_database: Database) -> None:
    reports: list[InstallReport] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            url, superuser_url = empty_database.url, empty_database.superuser_url
            reports.append(install(url, service=server.service_address, superuser_url=superuser_url))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(reports) == 4 and len(set(reports)) == 1


def test_as_a_superuser_alone(server: EmbeddedServer, empty_database: Database) -> None:
    assert install(empty_database.superuser_url, service=server.service_address).adapter == "native"


def test_without_native_and_dblink_the_rest_works(empty_database: Database) -> None:
    with connect(empty_database.superuser_url) as administrator:
        administrator.execute("CREATE EXTENSION vector")
    report = install(empty_database.url)
    assert report.adapter == "none"
    assert any("neither" in warning for warning in report.warnings)
    with connect(empty_database.url) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT thanopg.service_call('SELECT 1')")
    assert caught.value.sqlstate == "08001"
    assert "CREATE EXTENSION dblink" in str(caught.value.diag.message_hint)
    assert f"dblink_fdw TO {OWNER};" in str(caught.value.diag.message_hint)


def test_the_address_survives_a_change_of_adapter(server: EmbeddedServer, empty_database: Database) -> None:
    with connect(empty_database.superuser_url) as administrator:
        administrator.execute("CREATE EXTENSION vector")
        administrator.execute(
            f"CREATE FOREIGN DATA WRAPPER other; GRANT USAGE ON FOREIGN DATA WRAPPER other TO {OWNER}"
        )
    with connect(empty_database.url) as owner:
        owner.execute("CREATE SERVER thanopg_service FOREIGN DATA WRAPPER other OPTIONS (host 'h', port '7')")
        owner.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER thanopg_service OPTIONS (user 'u', password 'p')")
    install(empty_database.url, superuser_url=empty_database.superuser_url)
    with connect(empty_database.url) as owner:
        options = owner.execute(
            "SELECT fdwname, srvoptions[1:2], umoptions FROM pg_user_mappings m "
            "JOIN pg_foreign_server s ON s.oid = m.srvid JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw"
        ).fetchone()
    assert options == ("thanopg_service_fdw", ["host=h", "port=7"], ["user=u", "password=p"])


def test_search_path_keeps_what_is_there(empty_database: Database) -> None:
    with connect(empty_database.url) as owner:
        owner.execute('CREATE SCHEMA "My ""Shop"""')
        owner.execute(
            sql.SQL('ALTER DATABASE {} SET search_path = "My ""Shop""", public').format(
                sql.Identifier(empty_database.name)
            )
        )
    for _ in range(2):
        install(empty_database.url, superuser_url=empty_database.superuser_url)
        with connect(empty_database.url) as owner:
            assert owner.execute("SHOW search_path").fetchone() == ('"My ""Shop""", public, thanopg',)


def test_a_lost_search_path_is_put_back(database: Database, administrator: Connection) -> None:
    administrator.execute(f"ALTER DATABASE {database.name} RESET search_path")  # as after a restore
    install(database.url)
    with connect(database.url) as connection:
        assert connection.execute("SELECT 'thanopg' = ANY (current_schemas(false))").fetchone() == (True,)


def test_who_may_not_set_the_search_path_is_told(empty_database: Database, administrator: Connection) -> None:
    administrator.execute("CREATE ROLE tenant LOGIN PASSWORD 'tenant'")
    try:
        with connect(empty_database.superuser_url) as superuser:
            superuser.execute("CREATE EXTENSION vector; CREATE SCHEMA thanopg AUTHORIZATION tenant")
            superuser.execute(f"GRANT CREATE ON DATABASE {empty_database.name} TO tenant")
        url = empty_database.url.replace(empty_database.url.split("//")[1].split("@")[0], "tenant:tenant")
        report = install(url)
        assert any("search_path" in warning for warning in report.warnings)
    finally:
        with connect(empty_database.superuser_url) as superuser:
            superuser.execute("DROP OWNED BY tenant CASCADE")
        administrator.execute("DROP ROLE tenant")


def test_vector_in_a_schema_of_its_own(empty_database: Database) -> None:
    with connect(empty_database.superuser_url) as superuser:
        superuser.execute(f"CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO {OWNER}")
        superuser.execute("CREATE EXTENSION vector SCHEMA extensions")
    install(empty_database.url, superuser_url=empty_database.superuser_url)


def test_no_vector_and_no_right_to_create_it(empty_database: Database) -> None:
    with pytest.raises(InstallError, match="extension vector is missing") as caught:
        install(empty_database.url)
    assert "CREATE EXTENSION vector" in caught.value.hint
    with connect(empty_database.url) as owner:
        assert owner.execute("SELECT to_regnamespace('thanopg')").fetchone() == (None,)  # nothing half done


def test_another_encoding_is_refused(server: EmbeddedServer, administrator: Connection) -> None:
    administrator.execute(
        f"CREATE DATABASE latin OWNER {OWNER} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'"
    )
    try:
        with pytest.raises(InstallError, match="expected a database in UTF8, not LATIN1"):
            install(in_database(server.url, "latin"))
    finally:
        administrator.execute("DROP DATABASE latin")


def test_locale_c_is_reported(server: EmbeddedServer, administrator: Connection) -> None:
    administrator.execute(f"CREATE DATABASE plain OWNER {OWNER} TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'")
    try:
        urls = in_database(server.url, "plain"), in_database(server.superuser_url, "plain")
        assert any("LC_CTYPE" in text for text in install(urls[0], superuser_url=urls[1]).warnings)
    finally:
        administrator.execute("DROP DATABASE plain WITH (FORCE)")


def test_a_schema_of_somebody_else(empty_database: Database) -> None:
    with connect(empty_database.superuser_url) as superuser:
        superuser.execute("CREATE EXTENSION vector; CREATE SCHEMA thanopg")
    with pytest.raises(InstallError, match="permission denied for schema thanopg") as caught:
        install(empty_database.url)
    assert "as the owner" in caught.value.hint


def test_no_database_of_that_name(server: EmbeddedServer) -> None:
    with pytest.raises(DatabaseUnavailable, match='database "nowhere" does not exist') as caught:
        install(in_database(server.url, "nowhere"))
    assert "create it first" in caught.value.hint


def test_not_a_url() -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        install("postgresql://user:top-secret@host:port/x?y")
    assert "top-secret" not in caught.value.message
