"""service_call, the one door to the service: the same over the native function and over dblink."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from tests.adapters import ADAPTERS, install_over
from tests.databases import Database, clone
from tests.service_target import call, own_address
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress


@pytest.fixture(scope="module", params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def called(server: EmbeddedServer, adapter: str) -> Iterator[Database]:
    """One database per adapter for all tests: they leave nothing in it."""
    with clone(server, "template0") as database:
        install_over(adapter, server, database, own_address(server))
        yield database


@pytest.fixture
def caller(called: Database) -> Iterator[Connection]:
    with connect(called.url, autocommit=True) as connection:
        yield connection


def service_pid(connection: Connection) -> int:
    return int(call(connection, "SELECT pg_backend_pid()::text") or "")


def test_answer(caller: Connection) -> None:
    assert call(caller, "SELECT '밝은 빨간색 미니 원피스'") == "밝은 빨간색 미니 원피스"
    assert call(caller, "SELECT NULL::text") is None
    assert call(caller, "SELECT ''") == ""


def test_large_request_and_answer(caller: Connection) -> None:
    assert call(caller, f"SELECT length('{'x' * 20_000_000}')::text") == "20000000"
    assert len(call(caller, "SELECT repeat('x', 20000000)") or "") == 20_000_000


def test_one_connection_is_kept(caller: Connection) -> None:
    assert service_pid(caller) == service_pid(caller)


def test_error_passes_unchanged(caller: Connection) -> None:
    request = (
        "DO $$ BEGIN RAISE EXCEPTION 'no model named ''clop'', 100 %' USING "
        "ERRCODE = '42704', DETAIL = 'two are', HINT = 'did you mean clip?'; END $$"
    )
    before = service_pid(caller)
    with pytest.raises(psycopg.Error) as caught:
        call(caller, request.replace("100 %", "100 %%"))
    diag = caught.value.diag
    assert (diag.sqlstate, diag.message_primary, diag.message_detail, diag.message_hint) == (
        "42704",
        "no model named 'clop', 100 %",
        "two are",
        "did you mean clip?",
    )
    assert service_pid(caller) == before


def test_error_without_hint(caller: Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero) as caught:
        call(caller, "SELECT (1 / 0)::text")
    assert (caught.value.diag.message_detail, caught.value.diag.message_hint) == (None, None)


def test_statement_timeout_ends_the_call(caller: Connection) -> None:
    assert call(caller, "SELECT 'opened'") == "opened"
    caller.execute("SET statement_timeout = '100ms'")
    for _ in range(2):
        with pytest.raises(psycopg.errors.QueryCanceled):
            call(caller, "SELECT pg_sleep(60)::text")
    caller.execute("RESET statement_timeout")
    assert call(caller, "SELECT 'again'") == "again"


def test_an_answer_that_came_too_late_is_nobodys(caller: Connection) -> None:
    caller.execute("SET statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        call(caller, "SELECT 'late' FROM pg_sleep(0.2)")
    caller.execute("RESET statement_timeout")
    caller.execute("SELECT pg_sleep(0.3)")
    assert call(caller, "SELECT 'mine'") == "mine"


def test_cancel_ends_the_call(caller: Connection, server: EmbeddedServer) -> None:
    stop = threading.Event()

    def cancel_when_asked() -> None:
        asked = "SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(61)::text' AND state = 'active'"
        with connect(server.superuser_url, autocommit=True) as watcher:
            while not stop.is_set():
                if watcher.execute(asked).fetchone() is not None:
                    caller.cancel_safe()
                    return

    thread = threading.Thread(target=cancel_when_asked)
    thread.start()
    try:
        with pytest.raises(psycopg.errors.QueryCanceled):
            call(caller, "SELECT pg_sleep(61)::text")
    finally:
        stop.set()
        thread.join()
    assert call(caller, "SELECT 'again'") == "again"


def test_reconnects_once_when_found_dead(caller: Connection, server: EmbeddedServer) -> None:
    before = service_pid(caller)
    with connect(server.superuser_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [before])
    assert service_pid(caller) != before


def test_dies_again_while_it_answers(caller: Connection) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
            call(caller, "SELECT pg_terminate_backend(pg_backend_pid())::text")
        assert caught.value.diag.message_primary == "could not reach the embedding service"
    assert call(caller, "SELECT 'again'") == "again"


def test_unreachable_service(server: EmbeddedServer, empty_database: Database, adapter: str) -> None:
    nobody_there = replace(server.service_address, port=1)
    install_over(adapter, server, empty_database, nobody_there)
    with connect(empty_database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        for _ in range(2):
            with pytest.raises(psycopg.Error) as caught:
                call(connection, "SELECT 1")
            diag = caught.value.diag
            assert (diag.sqlstate, diag.message_primary) == ("08001", "could not reach the embedding service")
            assert diag.message_hint == "start it with: thanopg up, or thanopg serve"
            assert "No such file or directory" in str(diag.message_detail)
            assert server.service_address.password not in str(caught.value)
        assert connection.execute("SELECT a FROM t").fetchone() == (1,)  # the session goes on


def test_an_address_that_was_never_set(server: EmbeddedServer, empty_database: Database, adapter: str) -> None:
    install_over(adapter, server, empty_database, None)
    with connect(empty_database.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
            call(connection, "SELECT 1")
        assert caught.value.diag.message_detail == "its address is not set"
        assert "set_service_address" in str(caught.value.diag.message_hint)


def test_a_refused_password_is_unreachable(server: EmbeddedServer, empty_database: Database, adapter: str) -> None:
    address = ServiceAddress(host=str(server.socket_directory), port=5432, user=OWNER, password="wrong-secret")
    install_over(adapter, server, empty_database, address)
    with connect(empty_database.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.SqlclientUnableToEstablishSqlconnection) as caught:
            call(connection, "SELECT 1")
        assert "password authentication failed" in str(caught.value.diag.message_detail)
        assert "wrong-secret" not in str(caught.value)


def test_a_silent_service_ends_at_the_time_limit(
    server: EmbeddedServer, empty_database: Database, adapter: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, never answers
        address = ServiceAddress(host="127.0.0.1", port=silent.getsockname()[1], password="x")
        install_over(adapter, server, empty_database, address)
        with connect(empty_database.url, autocommit=True) as connection:
            connection.execute("SET statement_timeout = '200ms'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                call(connection, "SELECT 1")
            connection.execute("RESET statement_timeout")
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_many_failures_in_one_transaction_leak_nothing(server: EmbeddedServer, caller: Connection) -> None:
    caller.execute(
        "DO $$ BEGIN FOR i IN 1..50 LOOP BEGIN PERFORM thanopg.service_call('SELECT 1 / 0');"
        " EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$"
    )
    assert call(caller, "SELECT 'again'") == "again"


def test_works_in_a_read_only_transaction(caller: Connection) -> None:
    with caller.transaction():
        caller.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        assert call(caller, "SELECT 'read'") == "read"
    with pytest.raises(psycopg.errors.DivisionByZero), caller.transaction():
        call(caller, "SELECT (1 / 0)::text")
    assert call(caller, "SELECT 'again'") == "again"


def test_nobody_else_reads_the_password_or_moves_the_service(called: Database) -> None:
    secret = str(conninfo_to_dict(called.url)["password"])
    with connect(called.superuser_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE curious; GRANT USAGE ON SCHEMA thanopg TO curious; SET ROLE curious")
        try:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                call(connection, "SELECT 1")
            connection.execute(
                "RESET ROLE; GRANT EXECUTE ON FUNCTION thanopg.service_call TO curious; SET ROLE curious"
            )
            assert call(connection, "SELECT 'for all'") == "for all"
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("SELECT thanopg.set_service_address('elsewhere', 1, 'a', 'b')")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("ALTER SERVER thanopg_service OPTIONS (SET host 'elsewhere')")
            shown = connection.execute("SELECT umoptions::text FROM pg_user_mappings").fetchall()
            assert secret not in str(shown)
        finally:
            connection.execute("RESET ROLE; DROP OWNED BY curious; DROP ROLE curious")
