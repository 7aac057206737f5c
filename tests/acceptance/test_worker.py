"""The worker on real files, with real decoding processes: what is stored, what fails, what nobody is charged for."""

from __future__ import annotations

import io
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image

from tests.conftest import Database
from tests.running_service import RunningService
from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.settle import Tally
from thanopg.worker.worker import Worker

LIMITS = ImageLimits(bytes=4_000_000, pixels=1_000_000, seconds=10)
Drain = Callable[..., Tally]


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecodePool]:
    with DecodePool(1, LIMITS) as pool:
        yield pool


@pytest.fixture
def drain(database: Database, decoder: DecodePool, library: ModelLibrary, tmp_path: Path) -> Drain:
    """Run a worker in this process until nothing is left to do."""

    def run(*, root: Path = tmp_path, batch_size: int = 16, library: ModelLibrary = library) -> Tally:
        with Preparer(ImageReader(root, LIMITS), decoder, threads=3) as preparer:
            worker = Worker(
                url=database.url,
                library=library,
                preparer=preparer,
                options=WorkerOptions(batch_size=batch_size, lease=20),
            )
            return worker.run(threading.Event(), once=True)

    return run


@pytest.fixture
def table(connection: psycopg.Connection, service: RunningService, tmp_path: Path) -> int:
    """Table photo with 40 pictures on disk and an embedding column; returns the number of rows."""
    connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    for n in range(40):
        picture(tmp_path / f"{n}.png", n)
    connection.execute("INSERT INTO photo SELECT i, i || '.png' FROM generate_series(0, 39) i")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    return 40


def picture(path: Path, seed: int) -> Path:
    noise = np.random.default_rng(seed).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


def expected(path: Path) -> np.ndarray:
    embedder = FakeEmbedder(16)
    return embedder.embed_images(decode(path.read_bytes(), embedder.preprocessing, LIMITS)[None])[0]


def stored(connection: psycopg.Connection) -> dict[int, np.ndarray | None]:
    rows = connection.execute("SELECT id, fake_base::real[] FROM photo ORDER BY id").fetchall()
    return {n: None if vector is None else np.array(vector, np.float32) for n, vector in rows}


def failures(connection: psycopg.Connection) -> dict[int, str]:
    return {key["id"]: kind for key, kind in connection.execute("SELECT key, error_type FROM failure").fetchall()}


def test_every_row_gets_its_pictures_vector(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    tally = drain()
    assert (tally.embedded, tally.failed) == (table, 0)
    for n, vector in stored(connection).items():
        assert vector is not None
        assert np.array_equal(vector, expected(tmp_path / f"{n}.png"))
    status = connection.execute(
        "SELECT rows, embedded, pending, failed, time_left::text FROM embedding_status"
    ).fetchone()
    assert status == (table, table, 0, 0, "00:00:00")
    assert drain().model_calls == 0  # nothing left


def test_faults_are_typed_and_beside_the_others(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "0.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "1.png").write_text("these are words")
    Image.new("RGB", (1200, 1000)).save(tmp_path / "2.png")  # more pixels than the limit
    (tmp_path / "3.png").unlink()
    (tmp_path / "secret.txt").write_text("x")
    connection.execute("UPDATE photo SET image_path = '../secret.txt' WHERE id = 4")
    connection.execute("UPDATE photo SET image_path = 'https://example.org/a.jpg' WHERE id = 5")
    connection.execute("UPDATE photo SET image_path = NULL WHERE id = 6")
    drain()
    found = failures(connection)
    assert found == {0: "truncated", 1: "not_an_image", 2: "too_large", 3: "missing", 4: "forbidden", 5: "unsupported"}
    texts = dict(connection.execute("SELECT error_type, error_text FROM failure").fetchall())
    assert texts["missing"].endswith(": 3.png") and texts["forbidden"].endswith(": ../secret.txt")
    assert "example.org" not in texts["unsupported"]
    assert connection.execute("SELECT thanopg.worker_count()").fetchone() == (0,)
    vectors = stored(connection)
    assert all(vectors[n] is None for n in range(7))
    assert all(vectors[n] is not None for n in range(7, table))
    # the missing one will be tried again by itself, the others wait for a change or a retry
    waiting = connection.execute("SELECT key FROM failure WHERE next_attempt_at IS NOT NULL").fetchall()
    assert waiting == [({"id": 3},)]


def test_a_repaired_picture_is_found_by_retry(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    (tmp_path / "1.png").write_text("words")
    drain()
    assert failures(connection) == {1: "not_an_image"}
    picture(tmp_path / "1.png", 1)
    assert connection.execute("SELECT retry()").fetchone() == (1,)
    assert drain().embedded == 1
    assert failures(connection) == {}


def test_a_broken_picture_takes_its_vector_along(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    drain()
    (tmp_path / "broken.png").write_text("words")
    connection.execute("UPDATE photo SET image_path = 'broken.png' WHERE id = 1")
    connection.execute("UPDATE photo SET image_path = 'not-there-yet.png' WHERE id = 2")
    assert stored(connection)[1] is not None
    drain()
    assert stored(connection)[1] is None  # nobody finds the row by a picture that it no longer has
    assert stored(connection)[2] is not None  # but an outage makes no row vanish


def test_refresh_embeds_only_what_changed(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    drain()
    picture(tmp_path / "5.png", 500)
    assert connection.execute("SELECT refresh('photo')").fetchone() == (table,)
    tally = drain()
    assert (tally.embedded, tally.unchanged, tally.model_calls) == (1, table - 1, 1)
    assert np.array_equal(stored(connection)[5], expected(tmp_path / "5.png"))  # type: ignore[arg-type]


def test_identical_bytes_are_embedded_once(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    for n in range(1, 40):
        shutil.copy(tmp_path / "0.png", tmp_path / f"{n}.png")
    tally = drain(batch_size=8)
    assert tally.embedded == table
    assert tally.model_calls <= 2  # batches in flight before the first answer
    assert len({vector.tobytes() for vector in stored(connection).values() if vector is not None}) == 1


def test_a_missing_root_charges_nobody(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    away = tmp_path.with_name(tmp_path.name + "-away")
    tmp_path.rename(away)
    back = threading.Timer(1.0, lambda: away.rename(tmp_path))
    back.start()
    try:
        tally = drain()
    finally:
        back.join()
    assert (tally.embedded, tally.faults) == (table, {})


def test_bytea_and_data_uri(
    connection: psycopg.Connection, service: RunningService, drain: Drain, tmp_path: Path
) -> None:
    connection.execute("SELECT create_model('fake', source => 'fake:16', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image bytea)")
    connection.execute("SELECT add_image_embedding('photo', 'image', 'fake')")
    data = picture(tmp_path / "a.png", 1).read_bytes()
    connection.execute("INSERT INTO photo VALUES (1, %s), (2, '\\x00'), (3, NULL)", (data,))
    drain()
    assert np.array_equal(stored(connection)[1], expected(tmp_path / "a.png"))  # type: ignore[arg-type]
    assert failures(connection) == {2: "not_an_image"}
    # the same bytes as a query find the row
    rows = connection.execute("SELECT key, image, similarity FROM search_image(%s::bytea, 'fake')", (data,)).fetchall()
    assert rows == [({"id": 1}, None, pytest.approx(1, abs=1e-6))]


def test_the_tables_own_trigger_may_refuse_one_row(connection: psycopg.Connection, table: int, drain: Drain) -> None:
    connection.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN IF NEW.id = 7 AND NEW.fake_base IS NOT NULL THEN RAISE 'not seven'; END IF; RETURN NEW; END$$"
    )
    connection.execute("CREATE TRIGGER refuse BEFORE UPDATE ON photo FOR EACH ROW EXECUTE FUNCTION refuse()")
    tally = drain()
    assert tally.embedded == table - 1
    assert failures(connection) == {7: "write_refused"}


class Picky(FakeEmbedder):
    """Fails on pictures whose first pixel is even, answers NaN where it is 255."""

    def embed_images(self, pixels: np.ndarray) -> np.ndarray:
        if any(image[0, 0, 0] == 2 for image in pixels):
            raise RuntimeError("can't digest this")
        vectors = super().embed_images(pixels)
        vectors[pixels[:, 0, 0, 0] == 3] = np.nan
        return vectors


def test_a_batch_is_halved_around_the_culprit(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    Image.new("RGB", (32, 32), (2, 2, 2)).save(tmp_path / "8.png")
    Image.new("RGB", (32, 32), (3, 3, 3)).save(tmp_path / "9.png")
    tally = drain(library=ModelLibrary(load=lambda source, device=None: Picky(16)))
    assert failures(connection) == {8: "model_failed", 9: "not_finite"}
    assert tally.embedded == table - 2


def test_a_query_by_image_is_an_image_files_bytes(
    connection: psycopg.Connection, table: int, drain: Drain, tmp_path: Path
) -> None:
    drain()
    buffer = io.BytesIO()
    Image.open(tmp_path / "3.png").save(buffer, "PNG")
    rows = connection.execute("SELECT key FROM search_image(%s::bytea, 'fake', 1)", (buffer.getvalue(),)).fetchall()
    assert rows == [({"id": 3},)]
    with pytest.raises(psycopg.Error) as error:
        connection.execute("SELECT * FROM search_image('\\x0102'::bytea, 'fake')")
    assert error.value.sqlstate == "22000"
