"""Type checkers accept what users write, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SAMPLES = (HERE / "sqlalchemy_sample.py", HERE / "alembic_sample.py")
WRONG = {
    (sample.name, number)
    for sample in SAMPLES
    for number, line in enumerate(sample.read_text().splitlines(), 1)
    if line.endswith("# wrong")
}


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_samples(checker: str, tmp_path: Path) -> None:
    options = {
        "mypy": ["--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path), "--config-file="],
        "pyright": ["--pythonpath", sys.executable],
    }
    done = subprocess.run(
        [sys.executable, "-m", checker, *options[checker], *map(str, SAMPLES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=170,
    )
    found = re.findall(r"(\w+_sample\.py):(\d+)(?::\d+)?:? (?:- )?error", done.stdout)
    assert {(name, int(number)) for name, number in found} == WRONG, done.stdout + done.stderr
