"""The native function: another database of the same server plays the service, since both speak the same protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from conftest import Database, clone
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress


@pytest.fixture
def called(server: EmbeddedServer, database: Database) -> Database:
    """A database whose service is the session's server itself, logged in as the owner."""
    target = conninfo_to_dict(database.url)
    address = ServiceAddress(
        host=str(server.socket_directory), port=5432, user="thanopg_owner", password=str(target["password"])
    )
    install(database.url, service=address)
    return database


@pytest.fixture
def caller(called: Database) -> Iterator[Connection]:
    with connect(called.url, autocommit=True) as connection:
        yield connection


def call(connection: Connection, request: str) -> str | None:
    row = connection.execute("SELECT thanopg.service_call(%s)", [request]).fetchone()
    assert row is not None
    return row[0]


def service_pid(connection: Connection) -> int:
    return int(call(connection, "SELECT pg_backend_pid()::text") or "")


def test_answer(caller: Connection) -> None:
    assert call(caller, "SELECT '밝은 빨간색 미니 원피스'") == "밝은 빨간색 미니 원피스"
    assert call(caller, "SELECT NULL::text") is None
    assert len(call(caller, "SELECT repeat('x', 20000000)") or "") == 20_000_000


def test_large_request(caller: Connection) -> None:
    assert call(caller, f"SELECT length('{'x' * 20_000_000}')::text") == "20000000"


def test_one_connection_is_kept(caller: Connection) -> None:
    assert service_pid(caller) == service_pid(caller)


def test_error_passes_unchanged(caller: Connection) -> None:
    request = (
        "DO $$ BEGIN RAISE EXCEPTION 'no model named ''clop''' USING "
        "ERRCODE = '42704', DETAIL = 'two are', HINT = 'did you mean clip?'; END $$"
    )
    before = service_pid(caller)
    with pytest.raises(psycopg.Error) as caught:
        call(caller, request)
    diag = caught.value.diag
    assert (diag.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint) == (
        "42704",
        "no model named 'clop'",
        "two are",
        "did you mean clip?",
    )
    assert service_pid(caller) == before


def test_notices_are_raised_again(caller: Connection) -> None:
    heard: list[tuple[str | None, str | None, str | None, str | None]] = []
    caller.add_notice_handler(lambda d: heard.append((d.severity, d.sqlstate, d.message_primary, d.message_hint)))
    request = (
        "DO $$ BEGIN RAISE NOTICE 'the text was cut' USING ERRCODE = '01004', HINT = 'shorten it';"
        " RAISE WARNING 'careful'; END $$; SELECT 'ok'"
    )
    assert call(caller, request) == "ok"
    assert heard == [("NOTICE", "01004", "the text was cut", "shorten it"), ("WARNING", "01000", "careful", None)]


def test_statement_timeout_ends_the_call(caller: Connection) -> None:
    caller.execute("SET statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        call(caller, "SELECT pg_sleep(60)::text")
    caller.execute("RESET statement_timeout")
    assert call(caller, "SELECT 'again'") == "again"


def test_cancel_ends_the_call(caller: Connection, connection: Connection) -> None:
    stop = threading.Event()

    def cancel_when_waiting() -> None:
        waiting = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event = 'ThanopgService'"
        while not stop.is_set():
            if connection.execute(waiting, [caller.info.backend_pid]).fetchone() is not None:
                caller.cancel_safe()
                return

    thread = threading.Thread(target=cancel_when_waiting)
    thread.start()
    try:
        with pytest.raises(psycopg.errors.QueryCanceled):
            call(caller, "SELECT pg_sleep(60)::text")
    finally:
        stop.set()
        thread.join()
    assert call(caller, "SELECT 'again'") == "again"


def test_reconnects_once_when_found_dead(caller: Connection, connection: Connection) -> None:
    before = service_pid(caller)
    connection.execute("SELECT pg_terminate_backend(%s, 10000)", [before])
    assert service_pid(caller) != before


def test_dies_again_while_it_answers(caller: Connection) -> None:
    with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
        call(caller, "SELECT pg_terminate_backend(pg_backend_pid())::text")
    assert caught.value.diag.message_primary == "could not reach the embedding service"
    assert call(caller, "SELECT 'again'") == "again"


def test_unreachable_service(connection: Connection) -> None:
    connection.execute("CREATE TABLE t AS SELECT 1 AS a")
    with pytest.raises(psycopg.Error) as caught:
        call(connection, "SELECT 1")
    diag = caught.value.diag
    assert (diag.sqlstate, diag.message_primary) == ("08001", "could not reach the embedding service")
    assert diag.message_hint == "start it with: thanopg up, or thanopg serve"
    assert connection.execute("SELECT a FROM t").fetchone() == (1,)  # the session goes on


def test_unreachable_inside_a_subtransaction(connection: Connection) -> None:
    connection.execute(
        "DO $$ BEGIN FOR i IN 1..50 LOOP BEGIN PERFORM thanopg.service_call('SELECT 1');"
        " EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$"
    )


def test_a_silent_service_is_unreachable_in_two_seconds(server: EmbeddedServer, database: Database) -> None:
    import socket

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


def test_works_in_a_read_only_transaction(caller: Connection) -> None:
    with caller.transaction():
        caller.execute("SET TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ")
        assert call(caller, "SELECT 'read'") == "read"


def test_password_with_quotes(server: EmbeddedServer, database: Database, superuser_connection: Connection) -> None:
    secret = r"it's \ a 'secret'"
    superuser_connection.execute(f"CREATE ROLE odd_service LOGIN PASSWORD '{secret.replace(chr(39), chr(39) * 2)}'")
    try:
        superuser_connection.execute("CREATE DATABASE odd_service OWNER odd_service")
        superuser_connection.execute(f"GRANT CONNECT ON DATABASE {database.name} TO odd_service")
        address = ServiceAddress(host=str(server.socket_directory), port=5432, user="odd_service", password=secret)
        install(database.url, service=address)
        with connect(database.url, autocommit=True) as connection:
            assert call(connection, "SELECT current_user::text") == "odd_service"
    finally:
        superuser_connection.execute("DROP DATABASE IF EXISTS odd_service")
        superuser_connection.execute(f"REVOKE ALL ON DATABASE {database.name} FROM odd_service")
        superuser_connection.execute("DROP ROLE odd_service")


def test_nobody_else_calls_anywhere_or_reads_the_password(called: Database, superuser_connection: Connection) -> None:
    secret = str(conninfo_to_dict(called.url)["password"])
    superuser_connection.execute("CREATE ROLE curious; GRANT USAGE ON SCHEMA thanopg TO curious; SET ROLE curious")
    try:
        assert call(superuser_connection, "SELECT 'for all'") == "for all"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser_connection.execute("SELECT thanopg.native_call('host=elsewhere', 'SELECT 1')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            superuser_connection.execute("SELECT thanopg.set_service_address('elsewhere', 1, 'a', 'b')")
        shown = superuser_connection.execute("SELECT umoptions::text FROM pg_user_mappings").fetchall()
        assert secret not in str(shown)
    finally:
        superuser_connection.execute("RESET ROLE; DROP OWNED BY curious; DROP ROLE curious")


def test_two_databases_of_one_server_know_their_own_service(
    server: EmbeddedServer, template: str, called: Database
) -> None:
    with (
        clone(server, template) as other,
        connect(other.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection),
    ):
        call(connection, "SELECT 1")
