"""`thanopg sql` as people and programs call it."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT, command_line, environment, run
from tests.photo_database import ROWS, Photos, photo_database
from tests.running_service import RunningService
from thanopg.database.server import EmbeddedServer
from thanopg.models.library import ModelLibrary

NAME = "tutorial_search_clip_clipen"
SEARCH = 'SEARCH IMAGE text="white sneakers" USING tutorial_search_clip AS SELECT * FROM unsplash_data'
NEAREST = f"SELECT image_path, {NAME}_similarity1 FROM ({SEARCH}) ORDER BY {NAME}_similarity1 DESC LIMIT 3"
SECONDS = 60
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PROMPT_TOOLKIT_NO_CPR": "1"}


@pytest.fixture(scope="module")
def photos(
    server: EmbeddedServer,
    template: str,
    service: RunningService,
    library: ModelLibrary,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Photos]:
    with photo_database(server, template, library, tmp_path_factory.mktemp("photos")) as made:
        yield made


def sql(photos: Photos, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run("sql", *arguments, **photos.environment)


def output(photos: Photos, *arguments: str | Path) -> str:
    done = sql(photos, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def piped(photos: Photos, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command_line("sql", *arguments),
        input=text, env=environment(**photos.environment), capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def test_json_is_one_array_of_objects_for_every_table(photos: Photos, tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text(f"{SEARCH};\nLIST MODEL; -- ;\nSELECT ';' AS a, $n::int AS b;\nCREATE TEMP TABLE t (a int);")
    done = sql(photos, "--json", "--set", "n=7", "-f", script)
    assert done.returncode == 0, done.stderr
    decoder, rest, arrays = json.JSONDecoder(), done.stdout.strip(), []
    while rest:
        array, end = decoder.raw_decode(rest)
        arrays.append(array)
        rest = rest[end:].strip()
    searched, models, last = arrays
    assert len(searched) == ROWS and {type(row) for row in searched} == {dict}
    assert len(searched[0][NAME]) == 128 and -1 <= searched[0][f"{NAME}_similarity1"] <= 1
    assert any("tutorial_search_clip" in row.values() for row in models)
    assert last == [{"a": ";", "b": 7}]
    assert done.stderr.splitlines()[-1] == "Success"


def test_csv(photos: Photos) -> None:
    rows = list(csv.DictReader(output(photos, "--csv", NEAREST).splitlines()))
    similarities = [float(row[f"{NAME}_similarity1"]) for row in rows]
    assert len(rows) == 3 and similarities == sorted(similarities, reverse=True)


def test_a_pipe_gets_aligned_columns(photos: Photos) -> None:
    head, rule, *rows, count = output(photos, NEAREST).splitlines()
    assert [cell.strip() for cell in head.split("|")] == ["image_path", f"{NAME}_similarity1"]
    assert rule.index("+") == head.index("|") == rows[0].index("|")
    assert count == "(3 rows)" and re.search(r"\| +-?0\.\d{6}$", rows[0])


def test_printed_images_are_one_path_a_line_and_a_page(photos: Photos, tmp_path: Path) -> None:
    page = tmp_path / "found.html"
    paths = output(photos, "--html", page, f"PRINT IMAGE AS ({NEAREST})").splitlines()
    assert len(paths) == 3 and all(Path(path).is_file() for path in paths)
    html = page.read_text()
    assert html.count('<img src="data:image/jpeg;base64,') == 3 and "white sneakers</h2>" in html
    assert json.loads(output(photos, "--json", f"PRINT IMAGE AS ({NEAREST})")) == [
        {"image_path": path} for path in paths
    ]


def test_a_column_that_names_no_pictures_is_said_to(photos: Photos) -> None:
    for form in ((), ("--json",)):
        done = sql(photos, *form, "PRINT IMAGE AS SELECT '원피스' AS name FROM unsplash_data LIMIT 2")
        assert done.returncode == 0 and done.stdout.count("원피스") == 2
        assert "warning: 2 of 2 values of column name name no file below the image root; the first is '원피스'" in (
            " ".join(done.stderr.split())
        )
    assert sql(photos, "PRINT IMAGE AS SELECT image_path FROM unsplash_data LIMIT 2").stderr == ""


def test_an_error_says_where_and_ends_it(photos: Photos) -> None:
    done = piped(photos, "SELECT 1 AS one;\nSELECT 2 FROM 없는표;\nSELECT 3 AS three")
    assert done.returncode == 1
    assert "one" in done.stdout and "three" not in done.stdout
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: ") and lines[1] == "SELECT 2 FROM 없는표"
    assert lines[2].startswith(" " * len("SELECT 2 FROM ") + "^") and "Traceback" not in done.stderr


def test_a_slip_is_underlined_and_the_right_word_named(photos: Photos) -> None:
    done = sql(photos, SEARCH.replace("USING", "USNG"))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines()[2].strip() == "^^^^" and "USING" in done.stderr


@pytest.mark.parametrize(
    "arguments", [("--json", "--csv", "SELECT 1"), ("-f", "x.sql", "SELECT 1"), ("--set", "n", "S")]
)
def test_misuse_is_said_before_anything_runs(arguments: tuple[str, ...]) -> None:
    done = run("sql", *arguments)
    assert done.returncode == 1 and done.stderr.startswith("error: ") and "Traceback" not in done.stderr


def test_the_prompt(photos: Photos, tmp_path: Path) -> None:
    """Somebody types, completes with Tab, writes over lines, slips, sees pictures, asks for help in the middle of a
    statement, leaves in the middle of another; the history is kept."""
    somebody = [sys.executable, "-m", "tests.acceptance.somebody_types", str(ROWS)]
    typed = subprocess.run(
        somebody, cwd=ROOT, env=environment(**photos.environment, **TERMINAL, XDG_STATE_HOME=str(tmp_path)),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * SECONDS,
    )  # fmt: skip
    assert typed.returncode == 0, typed.stderr
    history = tmp_path / "thanopg" / "sql_history"
    assert "SELECT count(*) AS photos FROM unsplash_data;" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0
