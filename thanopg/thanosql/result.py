"""What a ThanoSQL statement gives: a table, pictures, or a message. Plain frozen values; shells only show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows, in the order the database gave them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """psycopg's Python values; vectors are float32 arrays of one dimension"""
    image_columns: tuple[str, ...] = ()
    """columns whose values are pictures: a source for Session.read_picture, or None"""
    status: str = ""
    """what the server calls it: `SELECT 5`, `INSERT 0 3`"""
    notes: tuple[str, ...] = ()
    """what was done besides: keys that were added, rows that could not be embedded"""
    warnings: tuple[str, ...] = ()

    @property
    def similarity_columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if "_similarity" in name)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture to show."""

    source: str | bytes | None
    """path, data: URI or the bytes of an image file, as the table has it; None: the row has no picture"""
    path: PurePath | None
    """where the file is, if the source is a path; not necessarily there"""

    @property
    def label(self) -> str:
        """What is printed above the picture: its full path as far as it has one."""
        if self.path is not None:
            return str(self.path)
        return "no picture" if self.source is None else "picture"


@dataclass(frozen=True, kw_only=True)
class Images:
    """Pictures, in the order of the rows; their bytes come from Session.read_picture."""

    column: str
    pictures: tuple[Picture, ...]
    total: int
    """rows of the query; more than there are pictures when the session shows only so many"""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A statement without rows has been done."""

    text: str = "Success"
    status: str = ""
    """what the server calls it: `CREATE TABLE`"""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Result = Table | Images | Message


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a long statement is."""

    what: str
    """`embedding unsplash_data`, `training my_model`"""
    done: int
    total: int | None
    """None: not known yet"""
    unit: str
    """`rows`, `pictures`"""
    note: str = ""
    """`2 workers`, `epoch 1/3 · loss 1.204 · validation recall 0.412`"""
    rate: float | None = None
    """units per second; None: not known, or not worth saying"""
    seconds_left: float | None = None
    """about; before the first unit is done, what was measured earlier lets expect"""


OnProgress = Callable[[Progress], None]


def no_progress(progress: Progress) -> None:
    """For those who don't want to know."""
