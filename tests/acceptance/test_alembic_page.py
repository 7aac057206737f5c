"""The examples of docs/alembic.md, in their order: models, the revision that they make, operations, install."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg

from tests.alembic_project import ONE_LINE, Project, body
from tests.command import ROOT
from tests.databases import Database
from tests.running_service import RunningService

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_page(tmp_path: Path, database: Database, service: RunningService, connection: psycopg.Connection) -> None:
    line, models, generated, operations, install, typed = BLOCK.findall((ROOT / "docs" / "alembic.md").read_text())
    assert ONE_LINE.startswith(line.strip())
    project = Project(tmp_path / "migrations", database.url)
    names: dict[str, Any] = {}
    exec(compile(models, "docs/alembic.md", "exec", dont_inherit=True), names)
    project.models = names["Base"].metadata
    code = project.generate("photos")
    assert joined(body(code)).endswith(joined(generated))
    project.upgrade()
    project.check()

    template = tmp_path / "migrations" / "script.py.mako"
    template.write_text(template.read_text().replace("from alembic import op", typed.strip()))
    project.write(operations + install, "pass")
    project.upgrade()
    query = "SELECT column_name::text, model, index_policy FROM thanopg.embedding_column ORDER BY id"
    assert connection.execute(query).fetchall() == [("embedding", "catalog", "later"), ("second", "photographs", "now")]


def joined(code: str) -> str:
    """Without what a formatter may change."""
    return re.sub(r",?\s+|,(?=\))", "", code.replace('"', "'"))
