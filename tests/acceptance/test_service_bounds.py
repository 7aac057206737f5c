"""The embedding service with many clients, with too many, and with those that nobody wants."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.acceptance.service_fixtures.asking import (
    SOURCE,
    ask,
    in_loop,
    logged_in,
    psql,
    read_vector,
    vector_of,
    wait_until,
)
from tests.acceptance.service_fixtures.running import BROKEN, GATED, PASSWORD, PATIENCE, SLOW, USER, RunningService
from tests.unit import service_client as wire


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with RunningService() as running:
        yield running


@pytest.fixture
def connection(service: RunningService) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(service.dsn(), autocommit=True) as opened:
        yield opened


# --- many clients ---------------------------------------------------------------------------------------------------


def test_a_hundred_concurrent_sessions(service: RunningService) -> None:
    def session(number: int) -> None:
        with psycopg.connect(service.dsn(), autocommit=True) as opened:
            for turn in range(3):
                text = f"session {number} turn {turn}"
                assert read_vector(ask(opened, text)) == vector_of(text)

    with ThreadPoolExecutor(100) as threads:
        list(threads.map(session, range(100)))


def test_a_burst_of_different_texts_is_one_pass() -> None:
    with RunningService() as service, ExitStack() as opened, ThreadPoolExecutor(65) as threads:
        sessions = [opened.enter_context(psycopg.connect(service.dsn(), autocommit=True)) for _ in range(65)]
        first = threads.submit(ask, sessions[0], "먼저 온 질문", GATED)
        service.gated.wait_entered()
        texts = [f"{number}번째 질문" for number in range(64)]
        burst = [threads.submit(ask, session, text, GATED) for session, text in zip(sessions[1:], texts, strict=True)]
        wait_until(lambda: service.server.batcher.waiting == 64)
        service.gated.gate.set()
        assert [read_vector(call.result(PATIENCE)) for call in burst] == [vector_of(text, 3) for text in texts]
        assert read_vector(first.result(PATIENCE)) == vector_of("먼저 온 질문", 3)
        passes = service.server.metrics.registry.get_sample_value("thanopg_batch_size_count", {"kind": "text"})
    assert passes == 2 and len(service.gated.texts) == 65


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


# --- cancel, deadline, too much -------------------------------------------------------------------------------------


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


@in_loop
async def test_a_client_that_leaves_takes_its_call_along() -> None:
    with RunningService() as service:
        path = str(service.directory / f".s.PGSQL.{service.port}")
        _, running = await logged_in(path, PASSWORD)
        running.write(wire.query(f"SELECT embed_text('first', '{GATED}')"))
        await asyncio.to_thread(service.gated.wait_entered)
        _, leaving = await logged_in(path, PASSWORD)
        leaving.write(wire.query(f"SELECT embed_text('left', '{GATED}')"))
        await asyncio.to_thread(wait_until, lambda: service.server.batcher.waiting == 1)
        leaving.transport.abort()
        await asyncio.to_thread(wait_until, lambda: service.server.batcher.waiting == 0)
        running.close()
    assert "left" not in service.gated.texts


def test_the_deadline() -> None:
    with RunningService(call_seconds=1) as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        with pytest.raises(errors.QueryCanceled) as caught:
            ask(opened, "cat", GATED)
        assert "longer than 1 s" in str(caught.value)
        service.gated.gate.set()
        assert ask(opened, "cat", "fake:8")


def test_a_model_loads_once_and_goes_on_loading_after_the_deadline() -> None:
    with RunningService(call_seconds=1) as service, ExitStack() as stack:
        opened = [stack.enter_context(psycopg.connect(service.dsn(), autocommit=True)) for _ in range(4)]
        threads = stack.enter_context(ThreadPoolExecutor(4))
        for call in [threads.submit(ask, one, "cat", SLOW) for one in opened]:
            with pytest.raises(errors.QueryCanceled) as caught:
                call.result(PATIENCE)
            assert "being loaded" in (caught.value.diag.message_hint or "")
        assert read_vector(ask(opened[0], "others go on", SOURCE)) == vector_of("others go on")
        service.may_load.set()
        wait_until(lambda: len(service.server.shelf.loaded()) == 2)
        assert read_vector(ask(opened[0], "cat", SLOW)) == vector_of("cat", 5)
        assert service.loads.count(SLOW) == 1


def test_an_unexpected_error_is_logged_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with RunningService() as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        with pytest.raises(errors.InternalError_) as caught:
            ask(opened, "nobody's business", BROKEN)
        assert caught.value.diag.message_primary == "internal error"
        assert opened.execute("SELECT 1").fetchone() == (1,)
    assert "RuntimeError" in caplog.text and "embed_texts" in caplog.text
    assert "business" not in caplog.text


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


# --- clients that nobody wants --------------------------------------------------------------------------------------


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
