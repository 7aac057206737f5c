"""The embedding service as a process: TLS, metrics, sockets, and how it ends."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from psycopg import errors

from tests.acceptance.service_fixtures.asking import (
    SOURCE,
    ask,
    asyncpg_options,
    psql,
    read_vector,
    vector_of,
)
from tests.acceptance.service_fixtures.running import GATED, HERE, PASSWORD, PATIENCE, USER, RunningService
from tests.unit import service_client as wire
from thanopg.errors import InvalidArgument, ServiceStartError


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with RunningService() as running:
        yield running


# --- TLS, metrics, life ---------------------------------------------------------------------------------------------


def test_tls() -> None:
    certificate, key = HERE / "localhost.pem", HERE / "localhost.key"
    with RunningService(tls_certificate=certificate, tls_key=key) as service:
        strict = service.dsn(tcp=True, sslmode="verify-full", sslrootcert=certificate, channel_binding="require")
        with psycopg.connect(strict, autocommit=True) as opened:
            assert opened.pgconn.ssl_in_use
            assert read_vector(ask(opened, "cat")) == vector_of("cat")
            opened.execute("SELECT embed_text(%s, %s)", ("long " * 100_000, SOURCE))
        with psycopg.connect(service.dsn(tcp=True, sslmode="disable")) as opened:
            assert opened.execute("SELECT 1").fetchone() == (1,)
        context = ssl.create_default_context(cafile=str(certificate))

        async def third_party() -> Any:
            opened = await asyncpg.connect(**{**asyncpg_options(service), "host": "localhost"}, ssl=context)
            try:
                return await opened.fetchval("SELECT 1")
            finally:
                await opened.close()

        assert asyncio.run(third_party()) == 1
        with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as bad:
            bad.sendall(wire.startup(80877103))
            assert bad.recv(1) == b"S"
            bad.sendall(b"this is no handshake")
            while bad.recv(1000):
                pass
        assert psql(service, "SELECT 1").returncode == 0


def http(service: RunningService, path: str) -> tuple[int, str]:
    url = f"http://127.0.0.1:{service.server.http_port}{path}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metrics_and_health() -> None:
    with RunningService(preload=(SOURCE,)) as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        ask(opened, "cat")
        ask(opened, "cat")
        with pytest.raises(errors.UndefinedObject):
            ask(opened, "cat", "nothing")
        status, health = http(service, "/healthz")
        assert status == 200
        found = json.loads(health)
        assert found["status"] == "ok" and found["connections"] == 1
        assert [model["source"] for model in found["models"]] == [SOURCE]
        status, page = http(service, "/metrics")
        assert status == 200
        assert 'thanopg_calls_total{function="embed_text",sqlstate="00000"} 2.0' in page
        assert 'thanopg_calls_total{function="embed_text",sqlstate="42704"} 1.0' in page
        assert "thanopg_cache_hits_total 1.0" in page
        assert 'thanopg_batch_size_count{kind="text"} 1.0' in page
        assert "thanopg_connections 1.0" in page
        assert http(service, "/")[0] == 404
        with socket.create_connection(("127.0.0.1", service.server.http_port or 0), PATIENCE) as bad:
            bad.sendall(b"x" * 20_000 + b"\r\n\r\n")
            assert b"200" not in bad.recv(1000)


def test_a_socket_in_use_and_a_stale_one(service: RunningService) -> None:
    with pytest.raises(ServiceStartError, match="another service"):
        RunningService(unix_socket_dir=service.directory, host=None, port=service.port).__enter__()
    with pytest.raises(ServiceStartError, match="in use"):
        RunningService(port=service.port).__enter__()
    with pytest.raises(ServiceStartError, match="the path of the socket"):
        RunningService(unix_socket_dir=Path("/tmp") / ("long" * 30)).__enter__()
    with closing(socket.socket(socket.AF_UNIX)) as abandoned, tempfile.TemporaryDirectory() as directory:
        abandoned.bind(f"{directory}/.s.PGSQL.5433")
        with RunningService(unix_socket_dir=Path(directory), host=None, port=5433) as replaced:
            assert psql(replaced, "SELECT 1", PGHOST=directory).returncode == 0
        assert list(Path(directory).iterdir()) == []


def test_no_service_without_a_password() -> None:
    with pytest.raises(InvalidArgument, match="password"):
        RunningService(password="").__enter__()


def test_sigterm_lets_calls_end_and_takes_leave() -> None:
    directory = Path(tempfile.mkdtemp(prefix="thanopg-"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.acceptance.service_fixtures.process", directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        dsn = (
            f"host={directory} port=5433 user={USER} password='{PASSWORD.replace(chr(39), chr(92) + chr(39))}' dbname=x"
        )
        with (
            psycopg.connect(dsn, autocommit=True) as busy,
            psycopg.connect(dsn, autocommit=True) as idle,
            ThreadPoolExecutor(1) as threads,
        ):
            call = threads.submit(ask, busy, "cat", GATED)
            assert process.stdout.readline() == "entered\n"
            process.send_signal(signal.SIGTERM)
            with pytest.raises(psycopg.OperationalError):
                while True:  # until the service has taken leave
                    idle.execute("SELECT 1")
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(dsn)
            process.stdin.write("go\n")
            process.stdin.flush()
            assert read_vector(call.result(PATIENCE)) == vector_of("cat", 3)
        assert process.wait(PATIENCE) == 0
        assert list(directory.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        shutil.rmtree(directory)
