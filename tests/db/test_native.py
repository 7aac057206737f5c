"""What only the native function does: notices, its own time limit for connecting, checks of the answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.databases import Database
from tests.service_target import call, own_address
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress


@pytest.fixture
def caller(server: EmbeddedServer, database: Database) -> Iterator[Connection]:
    install(database.url, service=own_address(server))
    with connect(database.url, autocommit=True) as connection:
        yield connection


def test_notices_are_raised_again(caller: Connection) -> None:
    heard: list[tuple[str | None, str | None, str | None, str | None]] = []
    caller.add_notice_handler(lambda d: heard.append((d.severity, d.sqlstate, d.message_primary, d.message_hint)))
    request = (
        "DO $$ BEGIN RAISE NOTICE 'the text was cut' USING ERRCODE = '01004', HINT = 'shorten it';"
        " RAISE WARNING 'careful'; END $$; SELECT 'ok'"
    )
    assert call(caller, request) == "ok"
    assert heard == [("NOTICE", "01004", "the text was cut", "shorten it"), ("WARNING", "01000", "careful", None)]


def test_a_silent_service_is_unreachable_in_two_seconds(server: EmbeddedServer, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        address = ServiceAddress(host="127.0.0.1", port=silent.getsockname()[1], password="x")
        install(database.url, service=address)
        with connect(database.url, autocommit=True) as connection:
            connection.execute("SET statement_timeout = '30s'")
            with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
                call(connection, "SELECT 1")
    assert caught.value.diag.message_detail == "it did not accept the connection in time"


def test_more_than_one_value_is_a_protocol_violation(caller: Connection) -> None:
    for request in (
        "SELECT 1, 2",
        "SELECT generate_series(1, 2)",
        "SELECT WHERE false",
        "COPY (SELECT 1) TO STDOUT",
        "",
    ):
        with pytest.raises(psycopg.errors.ProtocolViolation):
            call(caller, request)
    assert call(caller, "SELECT 'again'") == "again"


def test_password_with_quotes(server: EmbeddedServer, database: Database, superuser_connection: Connection) -> None:
    secret = r"it's \ a 'secret'"
    superuser_connection.execute(f"CREATE ROLE odd_service LOGIN PASSWORD '{secret.replace(chr(39), chr(39) * 2)}'")
    try:
        address = ServiceAddress(host=str(server.socket_directory), port=5432, user="odd_service", password=secret)
        install(database.url, service=address)
        with connect(database.url, autocommit=True) as connection:
            assert call(connection, "SELECT current_user::text") == "odd_service"
    finally:
        superuser_connection.execute("DROP ROLE odd_service")


def test_nobody_else_connects_anywhere(superuser_connection: Connection) -> None:
    superuser_connection.execute("CREATE ROLE curious; GRANT USAGE ON SCHEMA thanopg TO curious; SET ROLE curious")
    try:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser_connection.execute("SELECT thanopg.native_call('host=elsewhere', 'SELECT 1')")
    finally:
        superuser_connection.execute("RESET ROLE; DROP OWNED BY curious; DROP ROLE curious")
