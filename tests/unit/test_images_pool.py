"""A hostile picture costs itself and one process; nothing else notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.pictures import encoded, jpeg, jpeg_of_many_scans, photograph
from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.decode import decode
from thanopg.images.pool import DecodePool
from thanopg.models.embedder import Pixels, Preprocessing

SMALL = Preprocessing(height=32, width=32)
DEADLINE = 60.0
BUSY_BYTES = 90 * 1024 * 1024
"""resident memory of a child that has begun with a picture of many scans, and of no other"""


@pytest.fixture(scope="module")
def endless() -> bytes:
    """Would take minutes, from 20 kB."""
    return jpeg_of_many_scans(8000, 5000)


@pytest.fixture
def pool() -> Iterator[DecodePool]:
    with DecodePool(2, ImageLimits(seconds=30)) as pool:
        yield pool


def children() -> list[psutil.Process]:
    """This test process's decoding processes."""
    found = []
    for process in psutil.Process().children():
        try:
            if "thanopg.images.child" in process.cmdline():
                found.append(process)
        except psutil.Error:  # it has just ended
            continue
    return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def busy_child() -> psutil.Process:
    """Waits for a child that is decoding a picture of many scans."""
    found: list[psutil.Process] = []

    def look() -> bool:
        for process in children():
            try:
                if process.memory_info().rss > BUSY_BYTES:
                    found.append(process)
            except psutil.Error:
                continue
        return bool(found)

    until(look)
    return found[0]


def fault_of(future: Future[Pixels]) -> str:
    error = future.exception(timeout=DEADLINE)
    assert isinstance(error, ImageError)
    return error.fault


def works(pool: DecodePool) -> bool:
    data = jpeg()
    futures = [pool.submit(data, SMALL) for _ in range(6)]
    wanted = decode(data, SMALL, ImageLimits())
    return all((future.result(timeout=DEADLINE) == wanted).all() for future in futures)


def test_pixels_are_those_of_decode_and_one_may_write_to_them(pool: DecodePool) -> None:
    wanted = Preprocessing(height=40, width=24, resize_mode="longest", interpolation="bilinear", fill_color=9)
    futures = [pool.submit(jpeg(photograph(seed=seed)), wanted) for seed in range(10)]
    for seed, future in enumerate(futures):
        pixels = future.result(timeout=DEADLINE)
        assert (pixels == decode(jpeg(photograph(seed=seed)), wanted, ImageLimits())).all()
        assert pixels.dtype == np.uint8
        assert pixels.flags.writeable


def test_faults_come_with_their_words(pool: DecodePool) -> None:
    assert fault_of(pool.submit(b"no picture", SMALL)) == "not_an_image"
    assert fault_of(pool.submit(jpeg()[:500], SMALL)) == "truncated"
    assert works(pool)


def test_more_bytes_than_the_limit() -> None:
    with DecodePool(1, ImageLimits(bytes=100)) as pool:
        assert fault_of(pool.submit(jpeg(), SMALL)) == "too_large"


def test_a_picture_that_takes_too_long(endless: bytes) -> None:
    with DecodePool(2, ImageLimits(seconds=1.5)) as pool:
        hostile = pool.submit(endless, SMALL)
        assert works(pool)
        assert fault_of(hostile) == "decoder_timeout"
        assert works(pool)


def test_a_picture_that_takes_too_much_memory() -> None:
    hungry = encoded(Image.new("RGB", (7000, 7000)), "PNG", compress_level=1)
    with DecodePool(1, ImageLimits(memory=64 * 1024 * 1024)) as pool:
        assert fault_of(pool.submit(hungry, SMALL)) == "decoder_died"
        assert works(pool)


def test_a_picture_that_every_process_dies_of(pool: DecodePool, endless: bytes) -> None:
    hostile = pool.submit(endless, SMALL)
    for _ in range(2):
        victim = busy_child()
        victim.kill()
        until(partial(ended, victim))
    assert fault_of(hostile) == "decoder_died"
    assert works(pool)


def test_a_picture_whose_process_somebody_killed_is_not_to_blame(pool: DecodePool) -> None:
    slow = pool.submit(jpeg_of_many_scans(8000, 5), SMALL)
    busy_child().kill()
    assert slow.result(timeout=DEADLINE).shape == (32, 32, 3)


def test_processes_that_die_while_idle_are_replaced(pool: DecodePool) -> None:
    assert works(pool)
    for process in children():
        process.kill()
    assert works(pool)


def test_children_import_little_and_know_no_secrets(
    pool: DecodePool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("THANOPG_DATABASE_URL", "postgresql://secret")
    (tmp_path / "PIL.py").write_text("raise SystemExit('imported from the current directory')")
    monkeypatch.chdir(tmp_path)
    assert works(pool)
    for process in children():
        libraries = {Path(mapped.path).name for mapped in process.memory_maps()}
        assert any(name.startswith("_imaging") for name in libraries)
        assert not any("torch" in name or "psycopg" in name for name in libraries)
        assert not [name for name in process.environ() if name.startswith("THANOPG")]


def test_closing_waits_for_nobody(endless: bytes) -> None:
    pool = DecodePool(1, ImageLimits(seconds=3600))
    futures = [pool.submit(endless, SMALL) for _ in range(3)]
    busy_child()
    pool.close()
    assert all(future.done() for future in futures)
    for future in futures:
        with pytest.raises(CancelledError):
            future.result()
    assert children() == []
    pool.close()


@pytest.mark.parametrize("busy", [False, True])
def test_children_do_not_outlive_a_killed_parent(busy: bool, tmp_path: Path, endless: bytes) -> None:
    (tmp_path / "picture").write_bytes(endless if busy else jpeg())
    script = """if True:
        import sys, time
        from thanopg.config import ImageLimits
        from thanopg.images.pool import DecodePool
        from thanopg.models.embedder import Preprocessing
        pool = DecodePool(1, ImageLimits(seconds=1))
        future = pool.submit(open(sys.argv[1], "rb").read(), Preprocessing(height=32, width=32))
        if sys.argv[2] == "idle":
            future.result()
        print("started", flush=True)
        time.sleep(600)
    """
    arguments = [sys.executable, "-c", script, str(tmp_path / "picture"), "busy" if busy else "idle"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        until(lambda: bool(psutil.Process(parent.pid).children()))
        orphans = psutil.Process(parent.pid).children()
        if busy:
            until(lambda: orphans[0].memory_info().rss > BUSY_BYTES)
        parent.send_signal(signal.SIGKILL)
    until(lambda: all(ended(orphan) for orphan in orphans))
