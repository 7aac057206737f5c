"""install, serve, worker, model, index and status on a database that is named by its URL."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.command import command_line, environment, run, status, succeed, wait_for
from tests.databases import Database
from tests.pictures import photograph

PASSWORD = "a secret with ' and \\ in it"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def service(port: int, tmp_path: Path) -> Iterator[int]:
    """`thanopg serve` with TCP and a password from a file; its port."""
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    process = subprocess.Popen(
        command_line("serve", "--host", "127.0.0.1", "--port", str(port), "--password-file", password),
        env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert process.stderr.readline().startswith("listening on 127.0.0.1")
    yield port
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_from_nothing_to_a_search(empty_database: Database, service: int, tmp_path: Path) -> None:
    there = {"THANOPG_DATABASE_URL": empty_database.url}
    before = run("status", **there)
    assert before.returncode == 1 and "thanopg install" in before.stdout
    done = run(
        "install", "--superuser-url", empty_database.superuser_url, "--service-host", "127.0.0.1",
        "--service-port", str(service), THANOPG_SERVICE_PASSWORD=PASSWORD, **there,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "installed" in done.stderr
    assert run("install", **there).returncode == 0

    assert succeed("model", "add", "fake", "--source", "fake:8", **there) == "fake\n"
    photograph(32, 32).save(tmp_path / "1.png")
    with psycopg.connect(empty_database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
        connection.execute("INSERT INTO photo VALUES (1, '1.png')")
        connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
        done = run("worker", "--once", "--image-root", tmp_path, **there)
        assert "embedded 1" in done.stderr, done.stderr
        found = connection.execute("SELECT key, image FROM search_image('x', 'fake')").fetchall()
    assert found == [({"id": 1}, "1.png")]

    report = status("--database-url", empty_database.url)
    assert "stack" not in report
    assert report["service"]["reachable"] and report["workers"] == 0
    assert report["embeddings"][0]["embedded"] == 1


def test_a_service_without_a_password_is_refused() -> None:
    done = run("serve", "--host", "127.0.0.1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the service needs a password\nhint: ")


def test_a_worker_stops_when_asked(database: Database, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command_line("worker", "--database-url", database.url, "--image-root", tmp_path),
        env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with psycopg.connect(database.url, autocommit=True) as connection:
        wait_for(lambda: connection.execute("SELECT worker_count()").fetchone() == (1,))
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "embedded 0" in said
