"""SQL in the making: text of the user's, text of ours, and values that stay values. Pure.

A fragment is a tuple of parts, so fragments are joined with `+`. `assemble` numbers the values and remembers for every
sign of the result where in the statement it comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from psycopg.sql import Identifier

from thanopg.thanosql.tree import NOWHERE, Span


@dataclass(frozen=True)
class Written:
    """Text that stands so in the statement."""

    text: str
    at: Span


@dataclass(frozen=True)
class Ours:
    """Text that stands for something of the statement."""

    text: str
    at: Span = NOWHERE


@dataclass(frozen=True)
class Given:
    """A value that the user handed over as `$name`."""

    name: str
    at: Span


@dataclass(frozen=True)
class Vector:
    """The vector of a text, or of a picture, in the space of a model; made once, however often it is used."""

    by: Literal["text", "image"]
    source: str | bytes
    model: str


Bind = Given | Vector


@dataclass(frozen=True)
class Bound:
    bind: Bind
    at: Span = NOWHERE


Part = Written | Ours | Bound
Fragment = tuple[Part, ...]


@dataclass(frozen=True)
class Compiled:
    """What the server gets."""

    text: str
    binds: tuple[Bind, ...]
    """the values of $1, $2, …"""
    origins: tuple[tuple[int, Part], ...]
    """where each part begins in `text`"""

    def origin(self, position: int) -> tuple[Part, int] | None:
        """The part at `position` of the text, and how far into it that is."""
        found = None
        for begin, part in self.origins:
            if begin > position:
                break
            found = part, position - begin
        return found


def assemble(fragment: Fragment, literal: Callable[[Bind], str] | None = None) -> Compiled:
    """`literal` writes values into the text, for statements that PostgreSQL takes no parameters in."""
    text = ""
    binds: list[Bind] = []
    origins: list[tuple[int, Part]] = []
    for part in fragment:
        origins.append((len(text), part))
        if not isinstance(part, Bound):
            text += part.text
        elif literal is not None:
            text += literal(part.bind)
        else:
            if part.bind not in binds:
                binds.append(part.bind)
            text += f"${binds.index(part.bind) + 1}"
    return Compiled(text, tuple(binds), tuple(origins))


def quoted(name: str) -> str:
    """An SQL identifier, by the driver's quoting."""
    return Identifier(name).as_string()


def quoted_path(*names: str) -> str:
    return Identifier(*names).as_string()
