"""Behind a pool in transaction mode: many clients share a backend, and with it its connection to the service."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.adapters import ADAPTERS, install_over, over_both
from tests.databases import Database
from tests.pgbouncer import Pgbouncer, needs_pgbouncer
from tests.running_service import RunningService
from tests.service_target import call, own_address
from thanopg.database.server import EmbeddedServer

CLIENTS, BACKENDS, SEARCHES = 6, 2, 20
SEARCH = "SELECT key->>'id' FROM search_image(%s, 'fake', 3)"

pytestmark = needs_pgbouncer


@pytest.fixture
def pool(server: EmbeddedServer) -> Iterator[Pgbouncer]:
    with Pgbouncer(server, connections=BACKENDS) as running:
        yield running


@pytest.fixture
def photo(connection: psycopg.Connection, service: RunningService) -> None:
    connection.execute("SELECT create_model('fake', source => 'fake:8', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute(
        "INSERT INTO photo SELECT i, i || '.jpg', embed_text('그림 ' || i, 'fake') FROM generate_series(1, 60) i"
    )


@over_both
def test_every_client_gets_its_own_answers(
    pool: Pgbouncer, database: Database, connection: psycopg.Connection, photo: None
) -> None:
    texts = [f"그림 {number}" for number in range(1, CLIENTS * SEARCHES // 2)]
    expected = {text: connection.execute(SEARCH, [text]).fetchall() for text in texts}
    assert len({str(rows) for rows in expected.values()}) > len(texts) // 2  # answers can be told apart

    def search(client: int) -> set[int]:
        backends = set()
        with pool.connect(database.name) as session:
            for turn in range(SEARCHES):
                text = texts[(client * SEARCHES + turn) % len(texts)]
                assert session.execute(SEARCH, [text]).fetchall() == expected[text]
                backends |= set(session.execute("SELECT pg_backend_pid()").fetchall())
        return backends

    with ThreadPoolExecutor(CLIENTS) as clients:
        backends = set().union(*clients.map(search, range(CLIENTS)))
    assert 1 <= len(backends) <= BACKENDS


@over_both
def test_a_client_that_vanishes_takes_nobody_along(
    pool: Pgbouncer, database: Database, connection: psycopg.Connection, photo: None
) -> None:
    expected = connection.execute(SEARCH, ["그림 7"]).fetchall()
    with pool.connect(database.name) as other:
        for _ in range(2 * BACKENDS):
            vanishing = pool.connect(database.name)
            vanishing.execute("BEGIN")  # the backend is this client's until it ends
            assert vanishing.execute(SEARCH, ["그림 7"]).fetchall() == expected
            line = socket.socket(fileno=vanishing.pgconn.socket)
            line.shutdown(socket.SHUT_RDWR)
            line.detach()
            assert other.execute(SEARCH, ["그림 7"]).fetchall() == expected
            vanishing.close()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_answer_that_came_too_late_is_not_the_next_client_s(
    server: EmbeddedServer, empty_database: Database, adapter: str
) -> None:
    install_over(adapter, server, empty_database, own_address(server))
    name = empty_database.name
    with Pgbouncer(server, connections=1) as pool, pool.connect(name) as hasty, pool.connect(name) as next_one:
        backend = hasty.execute("SELECT pg_backend_pid()").fetchone()
        for _ in range(3):
            with pytest.raises(psycopg.errors.QueryCanceled), hasty.transaction():
                hasty.execute("SET LOCAL statement_timeout = '50ms'")
                call(hasty, "SELECT 'late' FROM pg_sleep(0.1)")
            assert call(next_one, "SELECT 'mine'") == "mine"
        assert next_one.execute("SELECT pg_backend_pid()").fetchone() == backend
