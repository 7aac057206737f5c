"""The page of guarantees names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.command import ROOT

PAGE = (ROOT / "docs" / "guarantees.md").read_text()
FILES = {path.name: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
NAMED = re.compile(r"`(?:(test_\w+\.py))?(?:::(test_\w+))?`")


@pytest.mark.parametrize("line", [line for line in PAGE.splitlines() if "`::test" in line or "`test_" in line])
def test_every_test_that_is_named_is_there(line: str) -> None:
    file = ""
    for named, test in NAMED.findall(line):
        file = named or file or "test_life_columns.py"  # the table about a database's life begins with it
        if named or test:
            assert file in FILES, file
            assert not test or f"def {test}(" in FILES[file], f"{file}::{test}"
