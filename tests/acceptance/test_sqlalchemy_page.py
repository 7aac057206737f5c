"""The examples of docs/sqlalchemy.md run as they stand, in their order, in a directory like that of the demo."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT
from tests.databases import Database
from tests.running_service import RunningService
from tests.working import work_off
from thanopg.catalog.catalogue import write_catalogue

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
PRODUCTS = 120


def test_the_page(
    database: Database,
    service: RunningService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_catalogue(tmp_path, PRODUCTS, seed=208, processes=1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THANOPG_DATABASE_URL", database.url)
    names: dict[str, Any] = {}
    printed: list[list[str]] = []
    for block in BLOCK.finditer((ROOT / "docs" / "sqlalchemy.md").read_text()):
        if block["language"] == "python":
            exec(compile(block["text"], "docs/sqlalchemy.md", "exec", dont_inherit=True), names)
        else:
            assert block["text"] == "thanopg worker --once\n"
            assert work_off(database.url, tmp_path).embedded == PRODUCTS
        if output := capsys.readouterr().out.splitlines():
            printed.append(output)
    names["engine"].dispose()
    dresses, yellow, sneakers, dimensions, backpacks = printed
    assert "파란색" in dresses[0] and "원피스" in dresses[0]
    assert set(re.findall(r"\w+", yellow[0])) == {"yellow"}
    assert "흰색 로우탑 운동화" in sneakers[0]
    assert dimensions == ["128"]
    assert "백팩" in backpacks[0]
