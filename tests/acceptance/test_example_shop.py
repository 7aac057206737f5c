"""examples/shop: its revisions are what autogenerate writes, and its README's commands work, in their order."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from tests.command import ROOT, environment
from tests.databases import Database
from tests.running_service import RunningService
from tests.schema_dump import comparable_dump
from thanopg.database.server import EmbeddedServer

SHOP = ROOT / "examples" / "shop"
README = (SHOP / "README.md").read_text()
EMBEDDING = re.compile(r"^    embedding: .*\n", re.MULTILINE)
DATE = re.compile(r"^Create Date: .*$", re.MULTILINE)
MODULES = ("models", "database", "load", "find")
BEFORE = """\
set -eu
thanopg() {
  case "$1" in
    up|down) ;;
    url) echo "$THANOPG_DATABASE_URL" ;;
    *) "$PYTHON" -P -m thanopg "$@" ;;
  esac
}
python() { "$PYTHON" "$@"; }
alembic() { "$PYTHON" -m alembic "$@"; }
"""
"""server and service are the test session's; everything else is run as it is written"""


def blocks(language: str, after: str, before: str = "\0") -> list[str]:
    part = README.split(after)[1].split(before)[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy to work in."""
    return Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__", "pictures")))


@pytest.fixture
def models(connection: psycopg.Connection) -> None:
    """shop_v1 and shop_v2, both of the bundled base, without asking a service."""
    for name in ("shop_v1", "shop_v2"):
        connection.execute(
            "INSERT INTO thanopg.model SELECT (jsonb_populate_record(m, jsonb_build_object('name', %s::text))).* "
            "FROM thanopg.model m WHERE m.name = 'catalog'",
            [name],
        )


@pytest.fixture
def alembic(shop: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """The shop's, in this process; what it imports is forgotten between two runs, as it would be."""
    monkeypatch.setenv("THANOPG_DATABASE_URL", database.url)
    monkeypatch.syspath_prepend(str(shop))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two states of models.py may have equal size and second
    config = Config(shop / "alembic.ini")
    assert config.get_main_option("script_location") == str(shop / "migrations")
    config.config_file_name = None  # the logging of this process is not its business
    yield config
    forget()


def forget() -> None:
    for name in MODULES:
        sys.modules.pop(name, None)


def test_the_revisions_are_what_autogenerate_writes(
    shop: Path, alembic: Config, models: None, server: EmbeddedServer, database: Database
) -> None:
    newest = (shop / "models.py").read_text()
    states = {
        "0001": EMBEDDING.sub("", newest),
        "0002": newest.replace("shop_v2", "shop_v1"),
        "0003": newest,
    }
    shutil.rmtree(shop / "migrations" / "versions")
    (shop / "migrations" / "versions").mkdir()
    dumps = {}
    commands = re.findall(r'revision --autogenerate --rev-id (\d+) -m "(.*)"', README)
    assert [number for number, _ in commands] == list(states)
    for number, message in commands:
        (shop / "models.py").write_text(states[number])
        forget()
        command.revision(alembic, message, autogenerate=True, rev_id=number)
        command.upgrade(alembic, "head")
        forget()
        command.check(alembic)
        dumps[number] = comparable_dump(server, database.url)
    assert written(shop) == written(SHOP)
    for number in ("0002", "0001"):
        command.downgrade(alembic, "-1")
        assert comparable_dump(server, database.url) == dumps[number]
    command.downgrade(alembic, "base")
    command.upgrade(alembic, "head")
    assert comparable_dump(server, database.url) == dumps["0003"]
    (shown,) = blocks("python", "## How the revisions were made")
    assert body(written(SHOP), "0003").split() == shown.replace('"', "'").split()


def written(shop: Path) -> dict[str, str]:
    return {
        path.name: DATE.sub("Create Date:", path.read_text())
        for path in sorted((shop / "migrations" / "versions").glob("*.py"))
    }


def body(revisions: dict[str, str], number: str) -> str:
    (text,) = [text for name, text in revisions.items() if name.startswith(number)]
    lines = text.split("def upgrade() -> None:")[1].split("def downgrade")[0].splitlines()
    return "\n".join(line.removeprefix("    ") for line in lines if line.startswith("    op.") or "; every row" in line)


def test_the_readme_runs(
    shop: Path, database: Database, service: RunningService, connection: psycopg.Connection
) -> None:
    run_it, back = blocks("sh", "## Run it", "## How the revisions")
    done = bash(shop, database, run_it)
    assert done.returncode == 0, done.stderr
    (expected,) = blocks("text", "## Run it")
    assert best(expected) == best(done.stdout)
    assert "No new upgrade operations detected" in done.stdout
    query = "SELECT model, rows, embedded, pending, failed FROM embedding_status"
    assert connection.execute(query).fetchall() == [("shop_v2", 40, 40, 0, 0)]
    done = bash(shop, database, back)
    assert done.returncode == 0, done.stderr
    assert connection.execute("SELECT to_regclass('product'), count(*) FROM thanopg.embedding").fetchone() == (None, 0)


def best(text: str) -> str:
    """The product found first, without its similarity, whose last digit belongs to the machine."""
    return next(line.split("  ", 1)[1] for line in text.splitlines() if line.startswith("0."))


def bash(shop: Path, database: Database, commands: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", BEFORE + commands],
        cwd=shop,
        env=environment(THANOPG_DATABASE_URL=database.url, PYTHON=sys.executable),
        capture_output=True,
        text=True,
        timeout=170,
    )
