"""The worker on pictures that a server of our own sends: each is fetched once, and then only what has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.hostile_server import HostileServer, versioned
from tests.working import LIMITS, picture, register_fake, vector, work_off
from thanopg.config import RemoteSettings
from thanopg.images.remote.reader import RemoteReader
from thanopg.images.source import ImageReader
from thanopg.worker.settle import Tally

ROWS = 5
DIMENSIONS = 8
LOOPBACK = RemoteSettings(networks=(ip_network("127.0.0.1/32"),), seconds=10)


class Shop:
    """A server whose pictures are `seeds[n]` at /n, with ETags as long as it gives any."""

    def __init__(self, server: HostileServer) -> None:
        self.server = server
        self.seeds = {n: n for n in range(ROWS)}
        self.gives_etags = True
        for n in range(ROWS):
            server.answers[f"/{n}"] = versioned(lambda n=n: picture(self.seeds[n]), self._etag)  # type: ignore[misc]

    def _etag(self, body: bytes) -> str | None:
        return f'"{hashlib.sha256(body).hexdigest()}"' if self.gives_etags else None

    def url(self, n: int) -> str:
        return f"http://127.0.0.1:{self.server.port}/{n}"

    def conditional(self) -> list[str]:
        """Paths of the requests since the last look that said what is known, in order."""
        asked = [head.split(" ")[1] for head in self.server.requests if "if-none-match" in head.lower()]
        self.server.requests.clear()
        return sorted(asked)


@pytest.fixture
def shop() -> Iterator[Shop]:
    with HostileServer() as server:
        yield Shop(server)


@pytest.fixture
def refreshed(connection: psycopg.Connection, database: Database, shop: Shop) -> Callable[[], Tally]:
    """Table photo, embedded; what a worker does after each refresh."""
    register_fake(connection, DIMENSIONS)
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, url text)")
    connection.execute("SELECT add_image_embedding('photo', 'url', 'fake')")
    for n in range(ROWS):
        connection.execute("INSERT INTO photo VALUES (%s, %s)", (n, shop.url(n)))
    reader = ImageReader(Path("/nonexistent"), LIMITS, remote=RemoteReader(LOOPBACK, LIMITS))
    assert work_off(database.url, reader=reader).embedded == ROWS
    assert shop.conditional() == []

    def refresh() -> Tally:
        connection.execute("SELECT refresh('photo')")
        return work_off(database.url, reader=reader)

    return refresh


def stored(connection: psycopg.Connection) -> dict[int, list[float]]:
    rows = connection.execute("SELECT id, fake_fake::real[] FROM photo").fetchall()
    return {n: np.float32(found).tolist() for n, found in rows}


def test_refresh_asks_for_what_has_changed(
    connection: psycopg.Connection, shop: Shop, refreshed: Callable[[], Tally]
) -> None:
    tally = refreshed()
    assert (tally.embedded, tally.unchanged, tally.model_calls) == (0, ROWS, 0)
    assert shop.conditional() == [f"/{n}" for n in range(ROWS)]
    shop.seeds[3] = 33
    tally = refreshed()
    assert (tally.embedded, tally.unchanged) == (1, ROWS - 1)
    known = {n: vector(seed, DIMENSIONS) for n, seed in shop.seeds.items()}
    assert stored(connection) == known


def test_what_a_server_knows_a_picture_by_is_learned_and_forgotten(
    connection: psycopg.Connection, shop: Shop, refreshed: Callable[[], Tally]
) -> None:
    """Also of rows that were embedded before, without their being embedded again."""
    shop.gives_etags = False
    assert refreshed().unchanged == ROWS
    shop.conditional()
    assert connection.execute("SELECT count(etag) FROM thanopg.provenance").fetchone() == (0,)
    shop.gives_etags = True
    assert refreshed().unchanged == ROWS
    assert shop.conditional() == []
    assert refreshed().unchanged == ROWS
    assert shop.conditional() == [f"/{n}" for n in range(ROWS)]


def test_a_vector_that_no_worker_wrote_has_no_etag(
    connection: psycopg.Connection, shop: Shop, refreshed: Callable[[], Tally]
) -> None:
    connection.execute("UPDATE photo SET fake_fake = (SELECT fake_fake FROM photo WHERE id = 1) WHERE id = 2")
    assert refreshed().embedded == 1
    assert shop.conditional() == [f"/{n}" for n in range(ROWS) if n != 2]
    assert stored(connection)[2] == vector(2, DIMENSIONS)
