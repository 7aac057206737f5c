"""A container's quota and the affinity count, not what the machine has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from thanopg.images.processors import processors

THERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("100000 100000\n", 1),
        ("20000 100000", 1),
        ("6400000 100000", THERE),
        ("max 100000", THERE),
        ("", THERE),
        ("1 0", THERE),
    ],
)
def test_a_quota(quota: str, expected: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    assert processors(tmp_path / "cpu.max") == expected


def test_none(tmp_path: Path) -> None:
    assert processors(tmp_path / "nothing") == THERE
