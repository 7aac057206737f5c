"""A real server for the whole session, one installed template database, and a clone of it for every test that asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.adapters import install_over, let_load_contrib
from tests.databases import Database, clone, in_database, make_home
from tests.running_service import RunningService
from thanopg.config import ImageLimits
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.images.pool import DecodePool
from thanopg.models.library import ModelLibrary


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
    return make_template(server, "native")


@pytest.fixture(scope="session")
def dblink_template(server: EmbeddedServer) -> str:
    """The same, installed over dblink."""
    return make_template(server, "dblink")


def make_template(server: EmbeddedServer, adapter: str) -> str:
    name = f"installed_over_{adapter}"
    with connect(in_database(server.superuser_url, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER thanopg_owner")
        database = Database(name, in_database(server.url, name), in_database(server.superuser_url, name))
        install_over(adapter, server, database, server.service_address)
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    return name


@pytest.fixture(scope="session")
def library() -> ModelLibrary:
    """Models, each loaded once in the whole session."""
    return ModelLibrary(device="cpu")


@pytest.fixture(scope="session")
def service(server: EmbeddedServer, library: ModelLibrary) -> Iterator[RunningService]:
    """The embedding service of `server`, real but for the process it runs in."""
    with DecodePool(1, ImageLimits()) as decoder, RunningService(server, library, decoder) as running:
        yield running


@pytest.fixture
def adapter() -> str:
    """How SQL reaches the service in `database`; tests that depend on it are parametrised: tests.adapters.over_both."""
    return "native"


@pytest.fixture
def database(server: EmbeddedServer, adapter: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    """A fresh database with everything installed."""
    template = request.getfixturevalue("template" if adapter == "native" else "dblink_template")
    with clone(server, template) as made:
        if adapter == "dblink":
            let_load_contrib(server, made.name)
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


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For models so small that more gain nothing, and only wait for each other on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
