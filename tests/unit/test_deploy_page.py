"""docs/deploy.md: its commands, files and sections exist. Its statements are run by tests/db/test_dblink.py."""

from __future__ import annotations

import re

from typer.testing import CliRunner

from tests.command import ROOT
from thanopg.cli.main import make_app

PAGE = (ROOT / "docs" / "deploy.md").read_text()
SHELL = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE))
COMMAND = re.compile(r"(?:^|\$ ?)thanopg (?P<words>[a-z].*?)(?:$|[#>&)])", re.MULTILINE)


def test_commands_and_their_options_exist() -> None:
    runner, app = CliRunner(), make_app()
    commands = [match["words"].split() for match in COMMAND.finditer(SHELL)]
    assert {command[0] for command in commands} >= {"install", "serve", "worker"}
    for verb, *words in commands:
        text = runner.invoke(app, [verb, "--help"], prog_name="thanopg").output
        assert text.startswith(f"Usage: thanopg {verb}"), verb
        for option in (word for word in words if word.startswith("--")):
            assert option in text, f"thanopg {verb} {option}"


def test_files_that_are_named_exist() -> None:
    named = set(re.findall(r"(?:deploy/[\w./*-]+|docker-compose[\w.]*\.yml)", PAGE)) - {"docker-compose.override.yml"}
    assert named >= {"deploy/administrator.sql", "docker-compose.gpu.yml"}
    for path in named:
        assert list(ROOT.glob(path.rstrip("."))), path


def test_sections_that_are_linked_exist() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings


def test_the_first_lines_of_the_compose_file_are_those_of_the_page() -> None:
    first = [line[4:] for line in (ROOT / "docker-compose.yml").read_text().splitlines() if line.startswith("#   ")]
    assert "\n".join(first) in SHELL
