"""install --sql: what psql makes of the script is what install makes, wherever the database starts from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from tests.adapters import ADAPTERS, offer_dblink
from tests.command import run, succeed
from tests.databases import Database, clone, in_database
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.install_script import install_script, psql_script
from thanopg.database.migrate import revisions, upgrade
from thanopg.database.server import EmbeddedServer
from thanopg.database.steps import as_administrator, before_migrations
from thanopg.database.steps import run as run_steps


def play(
    server: EmbeddedServer, url: str, script: str, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """psql with the script as its file."""
    command = [os.fspath(server.bin("psql")), "--no-psqlrc", *options, "--file=-", url]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("THANOPG_", "PG"))}
    return subprocess.run(
        command, input=script, capture_output=True, text=True, timeout=120, env={**kept, **environment}
    )


def everything(server: EmbeddedServer, database: Database) -> tuple[str, object]:
    """The schema, and what is not in it: registered models, settings of the database."""
    command = [server.bin("pg_dump"), "--schema-only", "--restrict-key=same", f"--dbname={database.superuser_url}"]
    dump = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    with connect(database.superuser_url) as connection:
        rows = connection.execute(
            "SELECT (SELECT jsonb_agg(to_jsonb(m) - 'created_at') FROM thanopg.model m),"
            " (SELECT array_agg(setting) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,"
            "  unnest(setconfig) setting WHERE datname = current_database() AND setting LIKE 'search_path%')"
        ).fetchone()
    return dump, rows


def offer(adapter: str, server: EmbeddedServer, database: Database) -> None:
    """What an administrator does before somebody installs who is none."""
    if adapter == "dblink":
        offer_dblink(server, database)
        return
    with connect(database.superuser_url) as connection:
        if adapter == "native":
            run_steps(connection, as_administrator(OWNER))
        else:
            connection.execute("CREATE EXTENSION vector")


@pytest.mark.parametrize("adapter", ["none", *ADAPTERS])
def test_a_script_makes_what_install_makes(server: EmbeddedServer, adapter: str) -> None:
    with clone(server, "template0") as one, clone(server, "template0") as other:
        for database in (one, other):
            offer(adapter, server, database)
        report = install(one.url)
        script = psql_script()
        played = play(server, other.url, script)
        assert played.returncode == 0, played.stderr
        assert f"revision {report.revision}" in played.stderr and adapter in played.stderr
        assert played.stdout == ""
        assert sorted(report.warnings) == sorted(
            line.split("WARNING:  ")[1] for line in played.stderr.splitlines() if "WARNING:" in line
        )
        expected = everything(server, one)
        assert everything(server, other) == expected
        assert play(server, other.url, script).returncode == 0
        assert everything(server, other) == expected
        assert install(other.url) == report
        assert everything(server, other) == expected


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_an_older_database_is_upgraded(server: EmbeddedServer, revision: str) -> None:
    with clone(server, "template0") as fresh, clone(server, "template0") as older:
        for database in (fresh, older):
            offer("native", server, database)
        install(fresh.url)
        with connect(older.url) as connection:
            engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: connection)
            with engine.begin() as outer:
                run_steps(connection, before_migrations())
                assert upgrade(outer, revision) == revision
        played = play(server, older.url, psql_script())
        assert played.returncode == 0, played.stderr
        assert everything(server, older) == everything(server, fresh)


def test_a_newer_database_is_left_alone(
    server: EmbeddedServer, database: Database, connection: psycopg.Connection
) -> None:
    connection.execute("UPDATE thanopg.thanopg_version SET version_num = '9999'")
    before = everything(server, database)
    played = play(server, database.url, psql_script())
    assert played.returncode != 0
    assert "schema thanopg is at revision 9999, which is newer than this thanopg" in played.stderr
    assert "this one knows the revisions 0001" in played.stderr
    assert everything(server, database) == before


def test_what_install_refuses_a_script_refuses(server: EmbeddedServer, empty_database: Database) -> None:
    played = play(server, empty_database.url, psql_script())
    assert played.returncode != 0
    assert "the extension vector is missing and this role may not create it" in played.stderr
    assert "HINT:  as an administrator: CREATE EXTENSION vector" in played.stderr
    assert played.stderr.count("ERROR") == 1
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as administrator:
        administrator.execute(
            f"CREATE DATABASE latin_script OWNER {OWNER} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        )
        try:
            played = play(server, in_database(server.url, "latin_script"), psql_script())
            assert "expected a database in UTF8, not LATIN1" in played.stderr
        finally:
            administrator.execute("DROP DATABASE latin_script")


def test_address_and_password_come_from_outside(server: EmbeddedServer, database: Database) -> None:
    script = succeed("install", "--sql", "--service-host", "it's.example", THANOPG_SERVICE_PASSWORD="top-secret")
    assert "top-secret" not in script
    assert script == psql_script("it's.example")
    played = play(server, database.url, script)
    assert played.returncode != 0 and "the service needs a password" in played.stderr
    for secret, options, environment in (
        ("o'ne", [], {"THANOPG_SERVICE_PASSWORD": "o'ne"}),
        ("two", ["--set=service_password=two"], {"THANOPG_SERVICE_PASSWORD": "o'ne"}),
    ):
        played = play(server, database.url, script, *options, **environment)
        assert played.returncode == 0, played.stderr
        assert (played.stdout, secret in played.stderr) == ("", False)
        with connect(database.url) as connection:
            found = connection.execute(
                "SELECT srvoptions[1], umoptions FROM pg_user_mappings m JOIN pg_foreign_server s ON s.oid = srvid"
            )
            assert found.fetchone() == ("host=it's.example", ["user=thanopg_service", f"password={secret}"])


def test_options_that_make_no_sense_together(tmp_path: Path) -> None:
    done = run("install", "--sql", "--superuser-url", "postgresql://x")
    assert done.returncode != 0 and done.stdout == "" and "holds no password" in done.stderr


def test_in_somebody_s_own_transaction(server: EmbeddedServer, empty_database: Database) -> None:
    with connect(empty_database.superuser_url, autocommit=True) as connection:
        connection.execute(
            "CREATE EXTENSION vector; SET search_path = pg_catalog, public; SET client_min_messages = error"
        )
        with pytest.raises(ZeroDivisionError), connection.transaction():
            connection.execute(install_script().encode())
            assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog, public",)
            assert connection.execute("SHOW client_min_messages").fetchone() == ("error",)
            assert connection.execute("SELECT to_regclass('thanopg.model') IS NULL").fetchone() == (False,)
            raise ZeroDivisionError
        assert connection.execute("SELECT to_regnamespace('thanopg')").fetchone() == (None,)
