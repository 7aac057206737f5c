"""What the service can be asked, as values: a few calls, and what drivers send around them. `grammar` makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from thanopg import __version__
from thanopg.service.lexer import Long

BYTEA: Final = 17
INT4: Final = 23
TEXT: Final = 25
VOID: Final = 2278

ACCEPTED_HINT = (
    "accepted: SELECT embed_text('…', model), embed_image(bytea, model), caption_image(bytea, model), "
    "describe_model(model), and SELECT 1; "
    "everything else belongs to the database"
)
SERVER_VERSION = f"18.0 (thanopg {__version__})"
MAX_PARAMETERS = 16


@dataclass(frozen=True, slots=True)
class Signature:
    types: tuple[int, ...]
    required: int


FUNCTIONS: Final[dict[str, Signature]] = {
    "embed_text": Signature((TEXT, TEXT, TEXT), 2),
    "embed_image": Signature((BYTEA, TEXT, TEXT), 2),
    "caption_image": Signature((BYTEA, TEXT, TEXT, TEXT, TEXT), 2),
    "describe_model": Signature((TEXT,), 1),
}
CASTS: Final[dict[str, int]] = {"text": TEXT, "varchar": TEXT, "character varying": TEXT, "bytea": BYTEA}


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$number` of an extended query; the first is 1."""

    number: int


Argument = str | Long | Parameter | None


@dataclass(frozen=True, slots=True)
class Call:
    """One of FUNCTIONS, its arguments literal or still to be bound."""

    function: str
    arguments: tuple[Argument, ...]
    column: str
    parameters: tuple[int, ...]
    """type of each parameter, `$1` first"""
    cast: frozenset[int]
    """numbers of the parameters that the statement casts itself, so that a client may declare them as text"""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A row of one column that never changes."""

    column: str
    value: str
    oid: int = TEXT
    tag: str = "SELECT 1"


@dataclass(frozen=True, slots=True)
class Transaction:
    """Moves the session between idle, in a transaction and failed; there is nothing to commit."""

    tag: str


@dataclass(frozen=True, slots=True)
class Forget:
    """DEALLOCATE and DISCARD: drop the prepared statement `name`, or all of them."""

    name: str | None
    tag: str


@dataclass(frozen=True, slots=True)
class NoOp:
    """Accepted because drivers send it; does nothing."""

    tag: str


Statement = Call | Fixed | Transaction | Forget | NoOp


def is_utf8(encoding: str) -> bool:
    """Is this one of the spellings of UTF8, or of no encoding at all? asyncpg writes `'utf-8'`, quotes included."""
    plain = encoding.strip("'\" ").lower().replace("-", "").replace("_", "")
    return plain in ("utf8", "unicode", "sqlascii", "auto", "default")
