"""Alembic's `op`, with our operations known to type checkers: see op.pyi beside this file."""

from __future__ import annotations

from typing import Any

import alembic.op


def __getattr__(name: str) -> Any:
    return getattr(alembic.op, name)


def __dir__() -> list[str]:
    return dir(alembic.op)
