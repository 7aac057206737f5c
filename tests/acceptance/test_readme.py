"""The README's examples run as they stand, in their order, on a shop of drawn products."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.command import ROOT, environment, run, succeed

README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(?P<language>[\w-]+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"(?:^|/| )thanopg (?P<verb>[a-z]+)(?P<rest>[^#&\n]*)", re.MULTILINE)


def blocks(language: str, *, before: str = "\0") -> list[str]:
    readme = README.partition(before)[0]
    return [match["text"] for match in BLOCK.finditer(readme) if match["language"] == language]


def test_sql_and_python(shop: Path, tmp_path: Path) -> None:
    script = tmp_path / "readme.sql"
    script.write_text("\n".join(blocks("sql", before="## Your own PostgreSQL")))
    done = run("psql", "--home", shop, "-v", "ON_ERROR_STOP=1", "-f", script)
    assert done.returncode == 0, done.stderr
    assert "WITH query AS" in done.stdout and "QUERY PLAN" in done.stdout
    url = succeed("url", "--home", shop).strip()
    for text in blocks("python"):
        python = subprocess.run(
            [sys.executable, "-c", text],
            cwd=shop / "catalogue", env=environment(THANOPG_DATABASE_URL=url),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert python.returncode == 0, python.stderr
        assert python.stdout.splitlines()[0] == "1 pictures/000001.jpg", "a picture is nearest to itself"


def test_commands_and_their_options_exist() -> None:
    named = {
        (match["verb"], *re.findall(r"--[a-z-]+", match["rest"])) for match in COMMAND.finditer("\n".join(blocks("sh")))
    }
    assert {verb for verb, *_ in named} >= {"demo", "up", "down", "psql", "status", "install", "serve", "worker"}
    helps = {verb: run(verb, "--help").stdout for verb in {verb for verb, *_ in named}}
    for verb, *options in sorted(named):
        assert helps[verb].startswith(f"Usage: thanopg {verb}"), verb
        for option in options:
            assert option in helps[verb], f"thanopg {verb} {option}"


def test_the_first_screen_has_the_two_commands() -> None:
    first = blocks("sh")[0].splitlines()
    assert first == [
        "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/thanopg demo",
        "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest",
    ]
    assert README[: README.index("```sh")].count("\n") < 10
