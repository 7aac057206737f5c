"""Clients that are up to something: they guess keys and passwords, dawdle, or take no answers. Others do not notice."""

from __future__ import annotations

import os
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from scramp import ScramClient

from tests.acceptance.service_fixtures.asking import SOURCE, ask, psql, wait_until
from tests.acceptance.service_fixtures.running import GATED, PATIENCE, USER, RunningService
from tests.unit import service_client as wire


def test_a_cancel_key_ends_the_one_call_that_it_belongs_to() -> None:
    """Not another connection's, whichever half of the key is right, and none that begins after it came."""
    with (
        RunningService() as service,
        psycopg.connect(service.dsn(), autocommit=True) as first,
        psycopg.connect(service.dsn(), autocommit=True) as second,
        ThreadPoolExecutor(1) as threads,
    ):
        keys = {pid: connection.key.secret for pid, connection in service.server._connections.items()}

        def cancel(process_id: int, secret: bytes) -> None:
            with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as stranger:
                stranger.sendall(struct.pack("!IIi", 12 + len(secret), 80877102, process_id) + secret)
                assert stranger.recv(1) == b"", "nothing is said about it"

        mine, other = first.info.backend_pid, second.info.backend_pid
        cancel(mine, keys[mine])  # nothing runs yet
        call = threads.submit(ask, first, "cat", GATED)
        service.gated.wait_entered()
        for process_id, secret in (
            (mine, keys[other]),
            (other, keys[mine]),
            (other, keys[other]),
            (mine, keys[mine][:3]),
            (mine, keys[mine] + b"\0"),
            (mine, b""),
            (2**31 - 1, keys[mine]),
            (-1, keys[mine]),
        ):
            cancel(process_id, secret)
        service.gated.gate.set()
        assert call.result(PATIENCE)


def test_a_wrong_password_is_refused_after_a_while_and_meanwhile_others_are_served() -> None:
    with (
        RunningService(failed_login_seconds=10_000, shutdown_seconds=0.1) as service,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as guessing,
        psycopg.connect(service.dsn(), autocommit=True) as opened,
    ):
        guessing.connect(f"{service.directory}/.s.PGSQL.{service.port}")
        guessing.settimeout(PATIENCE)
        guess(guessing, "wrong")
        wait_until(lambda: b"thanopg_failed_logins_total 1.0" in service.server.metrics.page())
        assert ask(opened, "cat", SOURCE)
        guessing.setblocking(False)
        with pytest.raises(BlockingIOError):
            guessing.recv(1)
    with RunningService(failed_login_seconds=0) as service, pytest.raises(psycopg.OperationalError, match="failed for"):
        psycopg.connect(service.dsn(password="wrong"))


def guess(plain: socket.socket, password: str) -> None:
    """A login up to the last message of the client's."""
    client = ScramClient(["SCRAM-SHA-256"], USER, password)

    def answer() -> bytes:
        head = plain.recv(5, socket.MSG_WAITALL)
        return plain.recv(int.from_bytes(head[1:], "big") - 4, socket.MSG_WAITALL)

    plain.sendall(wire.startup(user=USER))
    answer()
    first = client.get_client_first().encode()
    plain.sendall(wire.message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
    client.set_server_first(answer()[4:].decode())
    plain.sendall(wire.message("p", client.get_client_final().encode()))


def test_slow_clients_are_let_go() -> None:
    with RunningService(login_seconds=0.3, message_seconds=0.3, max_logging_in=2) as service:
        silent = [socket.create_connection(("127.0.0.1", service.port), PATIENCE) for _ in range(3)]
        assert silent[0].recv(1) == b"", "the oldest makes room for the newest"
        assert [one.recv(1) for one in silent[1:]] == [b"", b""]
        with (
            psycopg.connect(service.dsn(), autocommit=True) as opened,
            socket.socket(fileno=os.dup(opened.fileno())) as half,
        ):
            half.sendall(wire.query("SELECT embed_text('" + "a" * 100_000)[:-50])
            half.settimeout(PATIENCE)
            assert half.recv(1) == b""
        for one in silent:
            one.close()
        assert psql(service, "SELECT 1").returncode == 0


def test_a_client_that_takes_no_answers_is_let_go() -> None:
    with RunningService(write_seconds=0.3) as service:
        with psycopg.connect(service.dsn(), autocommit=True) as opened:
            ask(opened, "cat", "fake:16000")
            with socket.socket(fileno=os.dup(opened.fileno())) as deaf:
                deaf.settimeout(PATIENCE)
                with pytest.raises(OSError):
                    for _ in range(10_000):
                        deaf.sendall(wire.query("SELECT embed_text('cat', 'fake:16000')") * 100)
        assert psql(service, "SELECT 1").returncode == 0
