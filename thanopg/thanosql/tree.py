"""What a statement says, as plain values. Places serve error messages and don't count when trees are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Span:
    """Characters of the statement."""

    start: int
    end: int


NOWHERE = Span(0, 0)


# --- values of options ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Text:
    value: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Number:
    value: int | float
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Word:
    """An unquoted name as written; also True, False and None."""

    value: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Parameter:
    """`$name`"""

    name: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Listed:
    items: tuple[Text | Number | Word | Parameter, ...]
    at: Span = field(default=NOWHERE, compare=False, repr=False)


Value = Text | Number | Word | Parameter | Listed


@dataclass(frozen=True)
class Option:
    key: str
    """lower case"""
    value: Value
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """A name of one or more parts; unquoted parts are folded to lower case."""

    parts: tuple[str, ...]
    at: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def last(self) -> str:
        return self.parts[-1]

    def __str__(self) -> str:
        return ".".join(self.parts)


# --- statements ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verbatim:
    """SQL as the user wrote it."""

    text: str
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Sql:
    """SQL with ThanoSQL statements and parameters in it."""

    pieces: tuple[Verbatim | Parameter | Nested, ...]
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Search:
    """`inputs` is what the similarity is with: one value each."""

    by: Literal["text", "image"]
    inputs: Value
    model: Name
    options: tuple[Option, ...]
    query: Query
    sorted: bool = False
    """the later form: result_col, and the top_k best only"""
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Convert:
    model: Name
    options: tuple[Option, ...]
    query: Query
    at: Span = field(default=NOWHERE, compare=False, repr=False)


ListKind = Literal["MODEL", "TABLE", "THANOSQL MODEL"]


@dataclass(frozen=True)
class Listing:
    what: ListKind
    at: Span = field(default=NOWHERE, compare=False, repr=False)


Nestable = Search | Convert | Listing
Query = Sql | Search | Convert | Listing


@dataclass(frozen=True)
class Nested:
    """`( statement )` within SQL, parentheses included."""

    statement: Nestable
    needs_alias: bool
    """it is an item of FROM, and none was given"""
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Print:
    options: tuple[Option, ...]
    query: Query
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Copy:
    table: Name
    options: tuple[Option, ...]
    source: Text | Parameter
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class GetModel:
    base: Name
    options: tuple[Option, ...]
    name: Name | None
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class DeleteModel:
    name: Name
    at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class BuildModel:
    """BUILD MODEL name USING base, and FIT MODEL name USING model."""

    name: Name
    start: Name
    options: tuple[Option, ...]
    query: Query
    fit: bool = False
    at: Span = field(default=NOWHERE, compare=False, repr=False)


Statement = Sql | Search | Convert | Listing | Print | Copy | GetModel | DeleteModel | BuildModel
