"""What is wrong around a worker is waited out, and no row is blamed for it."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest

from tests.databases import Database
from tests.working import LIMITS, DecoderHere, picture_uri, register_fake, work_off
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Embedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

ROWS = 10


@pytest.fixture
def table(connection: psycopg.Connection) -> None:
    register_fake(connection, 8)
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("INSERT INTO photo SELECT i, %s FROM generate_series(1, %s) i", (picture_uri(1), ROWS))
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")


def test_a_model_that_fails_to_load(connection: psycopg.Connection, database: Database, table: None) -> None:
    def load(source: str, device: str | None = None) -> Embedder:
        raise RuntimeError("no such device")

    for _ in range(6):  # as often as a supervisor would start it again
        with Preparer(ImageReader(Path("/nonexistent"), LIMITS), DecoderHere(), threads=1) as preparer:
            worker = Worker(database.url, ModelLibrary("cpu", load), preparer, WorkerOptions(lease=20))
            with pytest.raises(RuntimeError):
                worker.run(threading.Event())
        charged = "SELECT FROM thanopg.pending WHERE claimed_by IS NOT NULL OR lost_leases + attempts > 0"
        assert connection.execute(charged).fetchall() == []
    assert work_off(database.url).embedded == ROWS


def test_time_limits_that_are_meant_for_people(connection: psycopg.Connection, database: Database, table: None) -> None:
    connection.execute(f"ALTER DATABASE {database.name} SET statement_timeout = '300ms'".encode())
    connection.execute(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END$$"
    )
    connection.execute("CREATE TRIGGER slow BEFORE UPDATE ON photo FOR EACH ROW EXECUTE FUNCTION slow()")
    assert work_off(database.url).embedded == ROWS
