"""Copies of a database: a physical standby answers searches, a logical subscriber's rows are embedded."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.adapters import offer_dblink
from tests.contrib import needs_contrib
from tests.databases import Database, in_database
from tests.running_service import RunningService
from tests.working import picture, picture_uri, vector, work_off
from thanopg.config import ImageLimits
from thanopg.database.account import server_account
from thanopg.database.cluster import OWNER
from thanopg.database.connect import connect
from thanopg.database.install import install, install_embedded
from thanopg.database.server import EmbeddedServer
from thanopg.images.pool import DecodePool
from thanopg.models.library import ModelLibrary

DIMENSIONS = 16
ROWS = 6
SECONDS = 60
STANDBY_PORT = 5439


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server of its own, whose WAL says enough for logical decoding."""
    from tests.databases import make_home

    home = make_home()
    server = EmbeddedServer(home, fast=True)
    server.start()
    with connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET wal_level = logical")
    server.stop()
    server.start()
    install_embedded(server)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def service(primary: EmbeddedServer) -> Iterator[RunningService]:
    with DecodePool(1, ImageLimits()) as decoder, RunningService(primary, ModelLibrary("cpu"), decoder) as running:
        yield running


@pytest.fixture
def owner(primary: EmbeddedServer, service: RunningService) -> Iterator[psycopg.Connection]:
    """As the owner; the model fake is there."""
    with connect(primary.url, autocommit=True) as connection:
        if connection.execute("SELECT FROM thanopg.model WHERE name = 'fake'").fetchone() is None:
            connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
        yield connection


@pytest.fixture(scope="module")
def standby(primary: EmbeddedServer) -> Iterator[Standby]:
    with Standby(primary) as running:
        yield running


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_standby_answers(primary: EmbeddedServer, standby: Standby, owner: psycopg.Connection) -> None:
    owner.execute("CREATE TABLE seen (id int PRIMARY KEY, image_path text)")
    owner.execute("SELECT add_image_embedding('seen', 'image_path', 'fake')")
    for n in range(ROWS):
        owner.execute("INSERT INTO seen VALUES (%s, %s)", (n, picture_uri(n)))
    work_off(primary.url)
    owner.execute("INSERT INTO seen VALUES (100, %s)", (picture_uri(100),))
    work_off(primary.url)
    with connect(standby.url, autocommit=True) as there:
        assert there.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        search = "SELECT key, similarity FROM search_image(%s::bytea, 'fake', 1, 'seen')"
        until(lambda: there.execute(search, (picture(100),)).fetchone() == ({"id": 100}, pytest.approx(1, abs=1e-6)))
        assert there.execute(search, (picture(3),)).fetchone() == ({"id": 3}, pytest.approx(1, abs=1e-6))
        rows = there.execute("SELECT key FROM search_image('a cat', 'fake', 3, 'seen')").fetchall()
        assert len(rows) == 3
        assert there.execute("SELECT count(*) FROM search_rows(NULL::seen, 'a cat', 'fake', 3)").fetchone() == (3,)
        assert there.execute("SELECT embedded, pending FROM embedding_status").fetchone() == (ROWS + 1, 0)


@needs_contrib
def test_a_standby_answers_over_dblink(primary: EmbeddedServer, standby: Standby, service: RunningService) -> None:
    name = "over_dblink"
    database = Database(name, in_database(primary.url, name), in_database(primary.superuser_url, name))
    with connect(in_database(primary.superuser_url, "postgres"), autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    offer_dblink(primary, database)
    assert install(database.url, service=primary.service_address).adapter == "dblink"
    with connect(database.url, autocommit=True) as connection:
        connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
        connection.execute("CREATE TABLE seen (id int PRIMARY KEY, image_path text)")
        connection.execute("SELECT add_image_embedding('seen', 'image_path', 'fake')")
        connection.execute(
            "INSERT INTO seen SELECT i, i, embed_text('그림 ' || i, 'fake') FROM generate_series(1, 9) i"
        )
        written = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    with connect(in_database(standby.url, "postgres"), autocommit=True) as there:
        until(lambda: there.execute("SELECT pg_last_wal_replay_lsn() >= %s", written).fetchone() == (True,))
    with connect(in_database(standby.url, name), autocommit=True) as there:
        for text, found in (("그림 7", 7), ("그림 3", 3)):
            assert there.execute("SELECT key FROM search_image(%s, 'fake', 1)", [text]).fetchone() == ({"id": found},)


class Standby:
    """A copy of the primary made by pg_basebackup, beside it in the same home."""

    def __init__(self, primary: EmbeddedServer) -> None:
        self._primary = primary
        self._data = primary.home.path / "standby"
        self._account = server_account(primary.home.data)
        self.url = primary.url.replace("port=5432", f"port={STANDBY_PORT}")

    def __enter__(self) -> Standby:
        self._account.make_directory(self._data)
        superuser = in_database(self._primary.superuser_url, "postgres")
        self._run(
            "pg_basebackup",
            f"--dbname={superuser}",
            f"--pgdata={self._data}",
            "--write-recovery-conf",
            "--checkpoint=fast",
        )
        options = (
            f"-c port={STANDBY_PORT} -c listen_addresses='' "
            f"-c unix_socket_directories={self._primary.socket_directory} "
            f"-c dynamic_library_path='$libdir:{self._primary.home.library}'"
        )
        self._run(
            "pg_ctl", "start", "--wait", f"--pgdata={self._data}", f"--log={self._data}/log", f"--options={options}"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "stop", "--wait", "--mode=immediate", f"--pgdata={self._data}")

    def _run(self, program: str, *arguments: str) -> None:
        command = [os.fspath(self._program(program)), *arguments]
        with (self._primary.home.path / "standby.log").open("ab") as log:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=SECONDS,
                check=True,
                **self._account.process_options(),
            )

    def _program(self, name: str) -> Path:
        """The same installation that the primary's process runs from."""
        with connect(self._primary.superuser_url, autocommit=True) as connection:
            row = connection.execute("SELECT setting FROM pg_config() WHERE name = 'BINDIR'").fetchone()
        assert row is not None
        return Path(row[0]) / name


def test_a_subscribers_rows_are_embedded(primary: EmbeddedServer, owner: psycopg.Connection) -> None:
    with connect(in_database(primary.superuser_url, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE publisher")
    publisher_url = in_database(primary.superuser_url, "publisher")
    table = "CREATE TABLE arriving (id int PRIMARY KEY, image_path text, note text)"
    with (
        connect(publisher_url, autocommit=True) as publisher,
        connect(primary.superuser_url, autocommit=True) as subscriber,
    ):
        publisher.execute(table)
        publisher.execute("CREATE PUBLICATION pictures FOR TABLE arriving")
        publisher.execute("INSERT INTO arriving SELECT 0, %s", (picture_uri(0),))  # there before, copied at the start
        publisher.execute("SELECT pg_create_logical_replication_slot('pictures', 'pgoutput')")
        owner.execute(table)
        owner.execute("SELECT add_image_embedding('arriving', 'image_path', 'fake')")
        subscriber.execute(
            f"CREATE SUBSCRIPTION pictures CONNECTION '{publisher_url}' PUBLICATION pictures "
            "WITH (create_slot = false, slot_name = 'pictures')".encode()
        )
        try:
            for n in range(1, ROWS):
                publisher.execute("INSERT INTO arriving VALUES (%s, %s)", (n, picture_uri(n)))
            arrive(publisher, owner)
            work_off(primary.url)
            publisher.execute("UPDATE arriving SET image_path = %s WHERE id = 1", (picture_uri(11),))
            publisher.execute("UPDATE arriving SET id = 12 WHERE id = 2")
            publisher.execute("UPDATE arriving SET note = 'unrelated' WHERE id = 3")
            publisher.execute("DELETE FROM arriving WHERE id = 4")
            arrive(publisher, owner)
            queued = owner.execute("SELECT key FROM thanopg.pending ORDER BY key").fetchall()
            assert queued == [([1],), ([12],)]  # the triggers fired: nothing had to be looked for
            work_off(primary.url)
            rows = owner.execute("SELECT id, fake_base::real[] FROM arriving").fetchall()
            pictures = {0: 0, 1: 11, 12: 2, 3: 3, 5: 5}
            assert {n: np.float32(v).tolist() for n, v in rows} == {
                n: vector(s, DIMENSIONS) for n, s in pictures.items()
            }
        finally:
            subscriber.execute("ALTER SUBSCRIPTION pictures DISABLE")
            subscriber.execute("DROP SUBSCRIPTION pictures")


def arrive(publisher: psycopg.Connection, subscriber: psycopg.Connection) -> None:
    query = "SELECT array_agg(a ORDER BY id) FROM (SELECT id, image_path, note FROM arriving) a"
    sent = publisher.execute(query.replace("array_agg(a ", "array_agg(a::text ")).fetchone()
    until(lambda: subscriber.execute(query.replace("array_agg(a ", "array_agg(a::text ")).fetchone() == sent)
