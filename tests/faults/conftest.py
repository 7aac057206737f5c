"""A server of one's own, because it will be crashed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.databases import make_home
from thanopg.database.connect import connect
from thanopg.database.install import install_embedded
from thanopg.database.server import EmbeddedServer

WORKER = "embedder"


@pytest.fixture
def crashing_server() -> Iterator[EmbeddedServer]:
    """Installed; without fsync, which only a crash of the machine would tell from one with it."""
    home = make_home()
    server = EmbeddedServer(home)
    server.start()
    with connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    install_embedded(server)
    with connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {WORKER} LOGIN PASSWORD '{WORKER}' IN ROLE thanopg_worker".encode())
    yield server
    server.stop()
    shutil.rmtree(home)


@pytest.fixture
def workplace() -> Iterator[Path]:
    """A directory beside which nothing else lies."""
    path = make_home()
    yield path
    shutil.rmtree(path)


def role_url(server: EmbeddedServer) -> str:
    """As a role that owns nothing."""
    parts = urlsplit(server.url)
    return parts._replace(netloc=f"{WORKER}:{WORKER}@").geturl()


def owner(server: EmbeddedServer) -> psycopg.Connection:
    return connect(server.url, application_name="harness", autocommit=True)
