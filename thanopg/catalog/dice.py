"""Chance that is a function of its key alone: the same key draws the same product on every machine and process."""

from __future__ import annotations

from random import Random


def dice(*key: object) -> Random:
    """A generator of its own for each key; nothing is shared, so pictures can be drawn in any order."""
    return Random("/".join(map(str, key)))  # noqa: S311 - drawings, not secrets
