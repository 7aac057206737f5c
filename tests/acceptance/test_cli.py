"""up, down and everything between: real processes on a home of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.command import command_line, environment, hear_ctrl_c, run, status, succeed, wait_for
from tests.databases import make_home
from tests.pictures import photograph
from thanopg.cli.stack.state import State, StateFile, is_held

ROWS = 12


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("사진")
    for number in range(1, ROWS + 1):
        photograph(64, 64, seed=number).save(root / f"{number}.jpg")
    return root


@pytest.fixture(scope="module")
def home(pictures: Path) -> Iterator[Path]:
    """A home whose stack runs, detached."""
    path = make_home()
    done = run("up", "--detach", "--home", path, "--image-root", pictures)
    assert done.returncode == 0, done.stderr
    assert "starting PostgreSQL" in done.stderr
    yield path
    run("down", "--home", path)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def photo(home: Path) -> Path:
    """The same home with table photo, embedded with a model called fake."""
    succeed("model", "add", "fake", "--source", "fake:16", "--home", home)
    succeed(
        "psql", "--home", home, "-v", "ON_ERROR_STOP=1", "-q",
        "-c", f"CREATE TABLE photo AS SELECT i AS id, i || '.jpg' AS image_path FROM generate_series(1, {ROWS}) i",
        "-c", "ALTER TABLE photo ADD PRIMARY KEY (id)",
        "-c", "INSERT INTO photo VALUES (99, 'nowhere/99.jpg')",
        "-c", "SELECT add_image_embedding('photo', 'image_path', 'fake', index => 'later')",
    )  # fmt: skip
    wait_for(lambda: status("--home", home)["embeddings"][0]["embedded"] == ROWS)
    return home


def psql(home: Path, statement: str) -> str:
    return succeed("psql", "--home", home, "-Atc", statement).strip()


def test_a_second_up_says_so_and_gives_the_url(home: Path) -> None:
    done = run("up", "--home", home)
    assert done.returncode == 0
    assert "already running" in done.stderr
    assert done.stdout == re.sub(":[^:@/]+@", "@", succeed("url", "--home", home)), "but for the password"
    assert done.stdout.startswith("postgresql://thanopg_owner@/thanopg?host=")


def test_a_second_up_with_other_pictures_is_refused(home: Path, tmp_path: Path, pictures: Path) -> None:
    done = run("up", "--detach", "--home", home, "--image-root", tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert f"already running on {home}, with image root {pictures}" in done.stderr and " down" in done.stderr
    done = run("worker", "--once", "--home", home, "--image-root", tmp_path / "nowhere")
    assert done.returncode == 1 and "is not a directory" in done.stderr


def test_url_is_a_database(home: Path) -> None:
    url = succeed("url", "--home", home).strip()
    done = run("psql", "-Atc", "SELECT current_database()", THANOPG_DATABASE_URL=url)
    assert done.stdout == "thanopg\n", done.stderr


def test_rows_are_embedded_and_found(photo: Path) -> None:
    query = "SELECT count(*), min(rank), max(similarity) <= 1 FROM search_image('검은 고양이', 'fake', 5)"
    assert psql(photo, query) == "5|1|t"


def test_the_worker_owns_nothing(photo: Path) -> None:
    """It logs in as a role of its own; what it may do came with the embedding column."""
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'thanopg_home_worker'"
    assert psql(photo, f"SELECT ({sessions}) > 0, worker_count()") == "t|1"
    role = "'thanopg_home_worker'"
    owned = f"SELECT count(*) FROM pg_shdepend WHERE refobjid = {role}::regrole AND deptype = 'o'"
    rights = ", ".join(
        f"has_column_privilege({role}, 'photo', '{column}', '{right}')"
        for column, right in (("image_path", "SELECT"), ("fake_custom", "UPDATE"), ("image_path", "UPDATE"))
    )
    assert psql(photo, f"SELECT ({owned}), {rights}") == "0|t|t|f"


def test_status_for_programs(photo: Path) -> None:
    report = status("--home", photo)
    assert report["stack"]["running"] and set(report["stack"]["processes"]) == {"service", "worker"}
    assert report["database"]["installed"] and report["database"]["short_names"]
    assert report["service"]["reachable"] and report["workers"] >= 1
    [embedding] = report["embeddings"]
    assert (embedding["table"], embedding["rows"], embedding["embedded"]) == ("photo", ROWS + 1, ROWS)
    [model] = [model for model in report["models"] if model["name"] == "fake"]
    assert model["health"] == "ok"
    [failure] = report["failures"]
    assert (failure["error"], failure["rows"], failure["tried_again"] + failure["set_aside"]) == ("missing", 1, 1)


def test_status_for_people(photo: Path) -> None:
    said = succeed("status", "--home", photo)
    assert "answers in" in said
    assert "photo" in said and "missing" in said and "tried again" in said and "set aside" in said
    assert "\x1b" not in said


def test_model_list(photo: Path) -> None:
    models = json.loads(succeed("model", "list", "--json", "--home", photo))
    assert {"name": "fake", "source": "fake:16", "dimensions": 16}.items() <= next(
        model for model in models if model["name"] == "fake"
    ).items()
    assert "fake:16" in succeed("model", "list", "--home", photo)


def test_errors_say_what_psql_says(photo: Path) -> None:
    query = "SELECT * FROM search_image('a cat', 'nobody')"
    in_psql = run("psql", "--home", photo, "-c", query).stderr
    done = run("model", "drop", "nobody", "--home", photo)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[0] == "error: no model named 'nobody'"
    assert "no model named 'nobody'" in in_psql and "HINT:" in in_psql and "CONTEXT" not in in_psql
    shown = run("model", "drop", "fake", "-v", "--home", photo).stderr
    assert "error: model 'fake' is used by photo.fake_custom" in shown
    assert "hint: first: SELECT drop_embedding('table', 'column')" in shown
    assert "sqlstate: 2BP01" in shown and "Traceback" in shown


def test_a_name_that_is_taken(photo: Path) -> None:
    done = run("model", "add", "fake", "--home", photo)
    assert done.returncode == 1 and done.stderr.splitlines()[0] == "error: model 'fake' exists"


def test_unknown_base(home: Path) -> None:
    done = run("model", "add", "siglip3", "--home", home)
    assert done.returncode == 1
    assert "unknown base or source 'siglip3'" in done.stderr and "siglip2" in done.stderr.splitlines()[1]


def test_index_builds_what_was_put_off(photo: Path) -> None:
    assert status("--home", photo)["embeddings"][0]["index"] == "missing"
    assert "index of photo.fake_custom" in run("index", "--home", photo).stderr
    assert status("--home", photo)["embeddings"][0]["index"] == "ready"
    assert "has its index" in run("index", "--home", photo).stderr
    done = run("index", "pg_class", "--home", photo)
    assert done.returncode == 1 and "table 'pg_class' has no embedding column" in done.stderr
    done = run("index", "nothing", "--home", photo)
    assert done.returncode == 1 and "no table 'nothing'" in done.stderr


def test_captions_have_no_index(photo: Path) -> None:
    psql(photo, "SELECT create_model('words', source => 'fake:0'), add_caption('photo', 'image_path', 'words')")
    try:
        assert "every embedding column has its index" in run("index", "photo", "--home", photo).stderr
        captions = next(e for e in status("--home", photo)["embeddings"] if e["kind"] == "caption")
        assert (captions["source"], captions["index"], captions["rows"]) == ("image_path", "none", ROWS + 1)
        assert "made from" in succeed("status", "--home", photo)
        models = json.loads(succeed("model", "list", "--json", "--home", photo))
        words = next(model for model in models if model["name"] == "words")
        assert (words["dimensions"], words["can_caption"], words["languages"]) == (None, True, ["ko", "en"])
    finally:
        psql(photo, "SELECT drop_embedding('photo', 'caption'); SELECT drop_model('words')")


def test_worker_once_ends(photo: Path, pictures: Path) -> None:
    done = run("worker", "--once", "--home", photo, "--image-root", pictures)
    assert done.returncode == 0, done.stderr
    assert "embedded 0" in done.stderr


def test_a_killed_service_is_started_again(photo: Path) -> None:
    query = "SELECT count(*) FROM search_image('dog', 'fake', 3)"
    before = state_of(photo).children["service"].pid
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: state_of(photo).children.get("service", state_of(photo).supervisor).pid != before)
    wait_for(lambda: run("psql", "--home", photo, "-Atc", query).stdout == "3\n")
    service = psutil.Process(state_of(photo).children["service"].pid)
    assert "fake:16" in service.cmdline(), "a column has begun to use it since the first start"
    assert "the service was ended by SIGKILL; starting it again" in (photo / "log" / "up.log").read_text()


def test_a_killed_supervisor_leaves_nothing_that_matters(photo: Path, pictures: Path) -> None:
    state = state_of(photo)
    os.kill(state.supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not any(child.alive for child in state.children.values()))
    assert not status("--home", photo)["stack"]["running"]
    assert (photo / "stack.json").exists(), "a stale file, to be recognised"
    url = succeed("up", "--detach", "--home", photo, "--image-root", pictures)
    assert url.startswith("postgresql://")
    assert psql(photo, "SELECT count(*) FROM search_image('dog', 'fake', 3)") == "3"


def test_down_and_down_again(photo: Path) -> None:
    state = state_of(photo)
    assert f"stopped {photo}" in run("down", "--home", photo).stderr
    for name in ("service", "worker"):
        assert "Fatal Python error" not in (photo / "log" / f"{name}.log").read_text()
    assert not any(process.alive for process in (state.supervisor, *state.children.values()))
    again = run("down", "--home", photo)
    assert again.returncode == 0 and "nothing was running" in again.stderr
    done = run("psql", "--home", photo)
    assert done.returncode == 1
    assert f"is not running\nhint: start it with: thanopg --home {photo} up" in done.stderr
    report = run("status", "--json", "--home", photo)
    assert report.returncode == 1
    assert json.loads(report.stdout)["database"]["reachable"] is False


def test_up_in_front_ends_with_ctrl_c(photo: Path, pictures: Path) -> None:
    process = subprocess.Popen(
        command_line("up", "--home", photo, "--image-root", pictures),
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert said.splitlines()[-1] == "stopping"
    assert not is_held(photo)
    assert not (photo / "data18" / "postmaster.pid").exists()


def test_a_wrong_url_is_one_line_and_a_hint() -> None:
    done = run("status", "--database-url", "postgresql://shop@127.0.0.1:1/shop?connect_timeout=2")
    assert done.returncode == 1 and "Connection refused" in done.stdout
    done = run("install", "--database-url", "postgresql://shop:geheim@127.0.0.1:1/shop")
    assert done.returncode == 1
    error, hint = done.stderr.splitlines()
    assert error == "error: could not connect to the database: Connection refused (host 127.0.0.1, port 1)"
    assert hint.startswith("hint: ")
    assert "geheim" not in done.stderr


def test_up_with_another_database_says_what_to_do() -> None:
    done = run("up", THANOPG_DATABASE_URL="postgresql://shop@db/shop")
    assert done.returncode == 1
    assert "thanopg serve" in done.stderr


def test_a_busy_port_is_said_by_up(photo: Path, pictures: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        done = run("up", "--detach", "--home", photo, "--image-root", pictures, "--http-port", port)
    assert done.returncode == 1
    assert "could not start the service: could not listen on 127.0.0.1 port" in done.stderr
    assert "hint: choose another address or port" in done.stderr
    assert not is_held(photo)
    assert not (photo / "data18" / "postmaster.pid").exists()


def state_of(home: Path) -> State:
    state = StateFile(home).read()
    assert state is not None
    return state
