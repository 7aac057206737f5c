"""A real server for the whole session, one installed template database, and a clone of it for every test that asks."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.search_path import append_search_path
from thanopg.database.server import EmbeddedServer


@dataclass(frozen=True)
class Database:
    """One test's own database. `url` is its owner, no superuser; `superuser_url` is one."""

    name: str
    url: str
    superuser_url: str


def make_home() -> Path:
    """A short path that the server's account may pass through (pytest's own directories may not be entered as root)."""
    home = Path(tempfile.mkdtemp(prefix="thanopg-"))
    if os.geteuid() == 0:
        home.chmod(0o711)
    return home


def in_database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home directory for a server of one's own; a server left running in it is stopped."""
    path = make_home()
    yield path
    EmbeddedServer(path).stop()
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """The session's embedded server. It ends with this process even when the process is killed."""
    home = make_home()
    running = EmbeddedServer(home, fast=True)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def template(server: EmbeddedServer) -> str:
    """The database that is cloned: everything installed, and closed, so that nobody is ever connected to it."""
    name = "installed"
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER thanopg_owner")
        urls = in_database(server.url, name), in_database(server.superuser_url, name)
        install(urls[0], service=server.service_address, superuser_url=urls[1])
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    return name


@pytest.fixture
def database(server: EmbeddedServer, template: str) -> Iterator[Database]:
    """A fresh database with everything installed."""
    with clone(server, template) as made:
        yield made


@pytest.fixture
def empty_database(server: EmbeddedServer) -> Iterator[Database]:
    """A fresh database of the owner with nothing in it."""
    with clone(server, "template0") as made:
        yield made


@pytest.fixture
def connection(database: Database) -> Iterator[psycopg.Connection]:
    """As the owner, autocommit."""
    with connect(database.url, application_name="test", autocommit=True) as made:
        yield made


@pytest.fixture
def superuser_connection(database: Database) -> Iterator[psycopg.Connection]:
    """As the superuser in the same database, autocommit."""
    with connect(database.superuser_url, application_name="test", autocommit=True) as made:
        yield made


class clone:
    """`with clone(server, template) as database`: made from the template, dropped at the end, whoever is connected."""

    def __init__(self, server: EmbeddedServer, template: str) -> None:
        self.maintenance_url = in_database(server.superuser_url, "postgres")
        self.template = template
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.database = Database(name, in_database(server.url, name), in_database(server.superuser_url, name))

    def __enter__(self) -> Database:
        self._run("CREATE DATABASE {} TEMPLATE {} OWNER thanopg_owner", self.database.name, self.template)
        if self.template != "template0":
            with connect(self.database.superuser_url, autocommit=True) as connection:
                append_search_path(connection)  # a clone does not inherit it
        return self.database

    def __exit__(self, *_: object) -> None:
        self._run("DROP DATABASE {} WITH (FORCE)", self.database.name)

    def _run(self, statement: str, *names: str) -> None:
        with connect(self.maintenance_url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
