"""Type checkers accept what users write, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).with_name("sqlalchemy_sample.py")
ROOT = SAMPLE.parents[2]
WRONG = {number for number, line in enumerate(SAMPLE.read_text().splitlines(), 1) if line.endswith("# wrong")}


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_sample(checker: str, tmp_path: Path) -> None:
    options = {
        "mypy": ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path), "--config-file="],
        "pyright": ["--pythonpath", sys.executable],
    }
    done = subprocess.run(
        [sys.executable, "-m", checker, *options[checker], str(SAMPLE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
    )
    lines = {int(number) for number in re.findall(rf"{SAMPLE.name}:(\d+)(?::\d+)?:? (?:- )?error", done.stdout)}
    assert lines == WRONG, done.stdout + done.stderr
