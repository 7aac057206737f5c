"""A picture that ends its decoder, eats memory or never ends is set aside with its reason; all others are embedded."""

from __future__ import annotations

import hashlib
import io
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from PIL import Image

from tests.command import environment
from tests.databases import Database
from tests.faults.worker_process import DIMENSIONS
from tests.pictures import jpeg_of_many_scans
from tests.working import picture, register_fake
from thanopg.config import MEBIBYTE, ImageLimits
from thanopg.images.decode import decode
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import MOST_LOST_LEASES, Preparer
from thanopg.worker.settle import Tally
from thanopg.worker.worker import Worker

SOUND = 60
POISON = 30
"""the row between the others that is poison"""
SECONDS = 60.0
BUSY_BYTES = 90 * MEBIBYTE
"""resident memory of a decoder that has begun with a picture of many scans, and of no other"""


@pytest.fixture
def table(connection: psycopg.Connection, tmp_path: Path) -> Path:
    """Table photo with SOUND rows, whose files are yet to be made below the returned root; one is poison."""
    register_fake(connection, DIMENSIONS)
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("INSERT INTO photo SELECT i, i || '.png' FROM generate_series(1, %s) i", (SOUND,))
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    for n in range(1, SOUND + 1):
        (tmp_path / f"{n}.png").write_bytes(picture(n))
    return tmp_path


def work(database: Database, root: Path, limits: ImageLimits) -> Tally:
    """Until nothing waits but for another attempt; then until nothing waits at all."""
    with DecodePool(2, limits) as decoder, Preparer(ImageReader(root, limits), decoder, threads=4) as preparer:
        worker = Worker(database.url, ModelLibrary("cpu"), preparer, WorkerOptions(batch_size=16, lease=20))
        deadline = time.monotonic() + SECONDS
        while worker.run(threading.Event(), once=True).failed == 0:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return worker.tally


def outcome(connection: psycopg.Connection) -> tuple[int, list[tuple[int, str, int]]]:
    """Rows with a vector; failed rows: key, fault, attempts."""
    (embedded,) = connection.execute("SELECT count(fake_fake) FROM photo").fetchone() or (0,)
    failed = connection.execute(
        "SELECT (key->'id')::int, error_type, attempts FROM failure WHERE next_attempt_at IS NULL"
    ).fetchall()
    return embedded, failed


def test_one_that_never_ends(connection: psycopg.Connection, database: Database, table: Path) -> None:
    (table / f"{POISON}.png").write_bytes(jpeg_of_many_scans(8000, 5000))
    tally = work(database, table, ImageLimits(seconds=2))
    assert outcome(connection) == (SOUND - 1, [(POISON, "decoder_timeout", 2)])  # the machine might have been busy
    assert tally.embedded == SOUND - 1


def test_one_that_eats_memory(connection: psycopg.Connection, database: Database, table: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(buffer, "PNG")
    (table / f"{POISON}.png").write_bytes(buffer.getvalue())
    work(database, table, ImageLimits(memory=100 * MEBIBYTE))
    assert outcome(connection) == (SOUND - 1, [(POISON, "decoder_died", 1)])


def test_one_that_ends_its_decoder(connection: psycopg.Connection, database: Database, table: Path) -> None:
    """No picture is known that does it to today's Pillow, so the decoder is killed whenever it has this one."""
    (table / f"{POISON}.png").write_bytes(jpeg_of_many_scans(8000, 5000))
    done = threading.Event()
    killed: list[int] = []
    killer = threading.Thread(target=kill_busy_decoders, args=(done, killed))
    killer.start()
    try:
        work(database, table, ImageLimits(seconds=SECONDS))
    finally:
        done.set()
        killer.join()
    assert outcome(connection) == (SOUND - 1, [(POISON, "decoder_died", 1)])
    assert len(killed) == 2


def kill_busy_decoders(done: threading.Event, killed: list[int]) -> None:
    while not done.wait(0.01):
        for process in psutil.Process().children():
            try:
                if "thanopg.images.child" in process.cmdline() and process.memory_info().rss > BUSY_BYTES:
                    process.kill()
                    process.wait(SECONDS)
                    killed.append(process.pid)
            except psutil.NoSuchProcess:
                continue


def test_one_that_ends_the_worker(connection: psycopg.Connection, database: Database, table: Path) -> None:
    """It is alone in its worker before its lost leases count, so that no other row is blamed for them."""
    embedder = FakeEmbedder(DIMENSIONS)
    pixels = decode(picture(POISON), embedder.preprocessing, ImageLimits())
    poison = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    command = [sys.executable, "-P", "-m", "tests.faults.worker_process", database.url, table, "1.0", table / "journal"]
    deaths = 0
    deadline = time.monotonic() + 2 * SECONDS
    while outcome(connection) != (SOUND - 1, [(POISON, "lost_lease", 1)]):
        assert time.monotonic() < deadline, outcome(connection)
        worker = subprocess.Popen(list(map(str, command)), env=environment(THANOPG_POISON=poison))
        try:
            while worker.poll() is None and not outcome(connection)[1]:
                assert time.monotonic() < deadline, outcome(connection)
                time.sleep(0.1)
        finally:
            worker.terminate()
            deaths += worker.wait(SECONDS) == -signal.SIGKILL
    assert deaths == MOST_LOST_LEASES
