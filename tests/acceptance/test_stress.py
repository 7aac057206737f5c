"""Random changes while two workers run and one is killed now and then: afterwards every vector fits its row's picture.

The suite runs it for some seconds; `pytest -m long tests/acceptance/test_stress.py` for a minute.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from tests.conftest import Database
from tests.running_service import RunningService
from thanopg.config import ImageLimits
from thanopg.database.connect import connect
from thanopg.images.decode import decode
from thanopg.models.fake import FakeEmbedder

PICTURES = 25
WORKERS = 2
LEASE = 2.0
SETTLE_SECONDS = 90
TABLES = {
    "photo": "CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text)",
    '"Weird ""name"': 'CREATE TABLE "Weird ""name" (id int, "part B" text DEFAULT \'p\', image_path text, note text, '
    'PRIMARY KEY ("part B", id))',
}


@dataclass
class Figures:
    operations: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    refused: int = 0
    """statements that PostgreSQL refused to the driver: a key that exists, two drivers in each other's way"""


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, np.ndarray]:
    """Paths under tmp_path and the vectors that belong to them."""
    embedder = FakeEmbedder(16)
    made = {}
    for n in range(PICTURES):
        path = tmp_path / f"{n}.png"
        Image.fromarray(np.random.default_rng(n).integers(0, 255, (40, 40, 3), dtype=np.uint8)).save(path)
        pixels = decode(path.read_bytes(), embedder.preprocessing, ImageLimits())
        made[path.name] = embedder.embed_images(pixels[None])[0]
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:500])
    return made


class Workers:
    """Worker processes; `kill_one` replaces one with a new one."""

    def __init__(self, url: str, root: Path) -> None:
        self._command = [sys.executable, "-m", "tests.acceptance.worker_process", url, str(root), str(LEASE)]
        self._processes = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.DEVNULL)

    def kill_one(self, n: int) -> None:
        self._processes[n].send_signal(signal.SIGKILL)
        self._processes[n].wait()
        self._processes[n] = self._start()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def drive(url: str, seed: int, names: list[str], until: float, figures: Figures, lock: threading.Lock) -> None:
    """Random operations in one session until the time is up."""
    rng = random.Random(seed)

    def path() -> str | None:
        return rng.choices([rng.choice(names), None, "broken.png"], [0.93, 0.05, 0.02])[0]

    operations = {
        "insert": ("INSERT INTO {t} (id, image_path) VALUES (%(id)s, %(path)s) ON CONFLICT DO NOTHING", 4),
        "insert many": (
            "INSERT INTO {t} (id, image_path) SELECT i, %(path)s FROM generate_series(%(id)s, %(id)s + 40) i "
            "ON CONFLICT DO NOTHING",
            2,
        ),
        "upsert": (
            "INSERT INTO {t} (id, image_path) VALUES (%(id)s, %(path)s) "
            "ON CONFLICT ({k}) DO UPDATE SET image_path = EXCLUDED.image_path",
            3,
        ),
        "update picture": ("UPDATE {t} SET image_path = %(path)s WHERE id = %(id)s", 6),
        "update pictures": ("UPDATE {t} SET image_path = %(path)s WHERE id %% 17 = %(id)s %% 17", 1),
        "update other": ("UPDATE {t} SET note = %(path)s WHERE id %% 5 = %(id)s %% 5", 1),
        "change key": ("UPDATE {t} SET id = id + 500 WHERE id = %(id)s", 2),
        "delete": ("DELETE FROM {t} WHERE id = %(id)s", 3),
        "delete many": ("DELETE FROM {t} WHERE id BETWEEN %(id)s AND %(id)s + 30", 1),
        "truncate": ("TRUNCATE {t}", 0.05),
    }
    weights = [weight for _, weight in operations.values()]
    with connect(url, application_name="driver") as session:
        while time.monotonic() < until:
            rollback = rng.random() < 0.15
            try:
                with session.transaction(force_rollback=rollback):
                    if rng.random() < 0.1:
                        session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                    for _ in range(rng.choice([1, 1, 1, 3])):
                        name = rng.choices(list(operations), weights)[0]
                        table = rng.choice(list(TABLES))
                        key = "id" if table == "photo" else '"part B", id'
                        statement = operations[name][0].format(t=table, k=key)
                        session.execute(statement.encode(), {"id": rng.randrange(400), "path": path()})
                        with lock:
                            figures.operations[name + (" rolled back" if rollback else "")] += 1
            except (
                psycopg.errors.IntegrityError,
                psycopg.errors.OperationalError,
            ):  # deadlock or 40001 between drivers
                with lock:
                    figures.refused += 1


def settle(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while connection.execute("SELECT count(*) FROM thanopg.pending WHERE failed_at IS NULL").fetchone() != (0,):
        assert time.monotonic() < deadline, connection.execute(
            "SELECT *, now() FROM thanopg.pending WHERE failed_at IS NULL LIMIT 5"
        ).fetchall()
        time.sleep(0.2)


def check(connection: psycopg.Connection, table: str, vectors: dict[str, np.ndarray]) -> int:
    rows = connection.execute(f"SELECT id, image_path, fake_base::real[] FROM {table}".encode()).fetchall()
    wrong = []
    for key, path, vector in rows:
        expected = vectors.get(path) if path is not None else None
        fits = (
            vector is None if expected is None else vector is not None and np.array_equal(np.float32(vector), expected)
        )
        if not fits:
            wrong.append((key, path, vector is None))
    assert wrong == []
    broken = {key for key, path, _ in rows if path == "broken.png"}
    failed = connection.execute(
        "SELECT key->>'id', error_type FROM failure WHERE target = %s::regclass", (table,)
    ).fetchall()
    assert {int(key) for key, _ in failed} >= broken
    gone = {int(key) for key, _ in failed} - broken
    assert gone.isdisjoint({key for key, _, _ in rows})  # a failed row that was deleted stays until the next reconcile
    assert {kind for _, kind in failed} <= {"truncated"}
    return len(rows)


def run(database: Database, root: Path, vectors: dict[str, np.ndarray], seconds: float, seed: int) -> None:
    figures = Figures()
    with connect(database.url, autocommit=True) as connection:
        connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
        for table, create in TABLES.items():
            connection.execute(create.encode())
            connection.execute("SELECT add_image_embedding(%s, 'image_path', 'fake')", (table,))
        rng, lock = random.Random(seed), threading.Lock()
        until = time.monotonic() + seconds
        with Workers(database.url, root) as workers:
            drivers = [
                threading.Thread(target=drive, args=(database.url, seed + n, list(vectors), until, figures, lock))
                for n in range(2)
            ]
            for driver in drivers:
                driver.start()
            while time.monotonic() < until:
                time.sleep(rng.uniform(0.3, 3))
                workers.kill_one(rng.randrange(WORKERS))
                figures.kills += 1
            for driver in drivers:
                driver.join()
            settle(connection)
        rows = sum(check(connection, table, vectors) for table in TABLES)
        total = sum(figures.operations.values())
        assert total > 0 and figures.kills > 0 and rows > 0
        print(
            f"seed {seed}: {total} operations, {figures.refused} refused, {figures.kills} workers killed, "
            f"{rows} rows checked, 0 wrong, 0 pending"
        )


def test_seconds_of_chaos(
    database: Database, service: RunningService, pictures: dict[str, np.ndarray], tmp_path: Path
) -> None:
    run(database, tmp_path, pictures, seconds=10, seed=1)


@pytest.fixture(params=range(1))
def seed(request: pytest.FixtureRequest) -> Iterator[int]:
    yield 1000 + request.param


@pytest.mark.long
def test_a_minute_of_chaos(
    database: Database, service: RunningService, pictures: dict[str, np.ndarray], tmp_path: Path, seed: int
) -> None:
    run(database, tmp_path, pictures, seconds=60, seed=seed)
