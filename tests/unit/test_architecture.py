"""The arrows between the rooms, and what an import costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_arrows_point_down() -> None:
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert lint.returncode == 0, lint.stdout


@pytest.mark.parametrize(
    "module",
    [
        "thanopg",
        "thanopg.cli.main",
        "thanopg.service.server",
        "thanopg.worker.worker",
        "thanopg.database.install",
        "thanopg.sqlalchemy",
    ],
)
def test_importing_loads_no_model_library(module: str) -> None:
    libraries = "'torch', 'open_clip', 'transformers', 'sentence_transformers', 'IPython'"
    program = f"import sys, {module}; print(*sorted({{{libraries}}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""
