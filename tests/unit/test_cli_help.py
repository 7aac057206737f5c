"""Every command explains itself, with an example that exists; and light commands start without heavy libraries."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.command import ROOT, environment, run
from thanopg.cli.main import make_app

VERBS = (
    "demo", "up", "down", "url", "psql", "sql", "status", "install", "serve", "worker", "index", "tune-index",
    "evaluate", "tune", "bench",
)  # fmt: skip
COMMANDS = [(verb,) for verb in VERBS] + [("model", action) for action in ("add", "list", "drop")]
HEAVY = {"torch", "open_clip", "transformers", "sqlalchemy", "numpy", "PIL"}


def help_of(*command: str) -> str:
    result = CliRunner().invoke(make_app(), [*command, "--help"], prog_name="thanopg")
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_exists(command: tuple[str, ...]) -> None:
    text = help_of(*command)
    examples = re.split(r"Examples?:\n", text)[1]
    assert f"thanopg {' '.join(command)}" in examples
    for option in re.findall(r"--[a-z][a-z-]+", examples):
        assert option in re.split(r"Examples?:\n", text)[0] or command == ("psql",), option


def test_help_names_every_command() -> None:
    text = help_of()
    for verb in (*VERBS, "model"):
        assert re.search(rf"^  {verb} ", text, re.MULTILINE), verb


@pytest.mark.parametrize("arguments", [["--help"], ["url"], ["status"], ["down"], ["up", "--help"], ["psql"]])
def test_light_commands_import_nothing_heavy(arguments: list[str], tmp_path: object) -> None:
    program = (
        "import sys; from thanopg.cli.main import main; "
        f"main({['--home', str(tmp_path), *arguments]!r}); "
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_misuse_is_one_line_and_a_hint() -> None:
    for arguments, error, hint in (
        (["serve", "--port", "many"], "error: invalid value for '--port'", "hint: see: thanopg serve --help"),
        (["fly"], "error: no such command 'fly'", "hint: see: thanopg --help"),
        (["up", "--detatch"], "error: no such option: --detatch", "hint: see: thanopg up --help"),
        (["model", "drop"], "error: missing argument 'name'", "hint: see: thanopg model drop --help"),
    ):
        done = run(*arguments)
        assert done.returncode == 2, arguments
        said = done.stderr.splitlines()
        assert said[0].startswith(error) and said[1] == hint, done.stderr
        assert done.stdout == ""


def test_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", run("--version").stdout)


def test_shared_options_may_stand_before_or_behind_the_verb(tmp_path: object) -> None:
    before, behind = run("--home", f"{tmp_path}/x", "status"), run("status", "--home", f"{tmp_path}/x")
    assert before.stdout == behind.stdout
    assert f"{tmp_path}/x, not running" in before.stdout
    assert run("status", THANOPG_HOME=f"{tmp_path}/x").stdout == before.stdout
