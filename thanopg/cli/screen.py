"""Talking to people: data goes to stdout, talk to stderr; colour and moving bars only on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

RIGHT = (int, float, Decimal)


class About(int):
    """An estimate."""

    def __str__(self) -> str:
        return f"~{int(self):,}"


class Screen:
    """One process's stdout and stderr."""

    def __init__(self) -> None:
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self.err.print(Text(text))

    def done(self, text: str) -> None:
        """A step that has ended well."""
        self.err.print(Text.assemble(("✓ ", "green") if self.err.is_terminal else "", text))

    def warn(self, text: str) -> None:
        self.err.print(Text.assemble(("warning: ", "yellow"), text))

    def data(self, text: str) -> None:
        self.out.print(Text(text))

    def heading(self, text: str) -> None:
        self.out.print(Text(text, style="bold"))

    def statement(self, statement: str) -> None:
        if self.out.is_terminal:
            self.out.print(Syntax(statement, "postgresql", theme="ansi_dark", background_color="default"))
        else:
            self.out.print(Text(statement))

    def table(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if not self.out.is_terminal:
            self.out.print(Text(aligned(names, rows)))
            return
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        for position, name in enumerate(names):
            numeric = bool(rows) and all(isinstance(row[position], RIGHT) for row in rows)
            table.add_column(name, justify="right" if numeric else "left", no_wrap=position < len(names) - 1)
        for row in rows:
            table.add_row(*(Text(text_of(value)) for value in row))
        self.out.print(table)

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """A turning sign while something is done."""
        if not self.err.is_terminal:
            yield
            return
        with self.err.status(Text(doing)):
            yield


def text_of(value: Any) -> str:
    if value is None or isinstance(value, About):
        return "" if value is None else str(value)
    return f"{value:,}" if isinstance(value, int) and value >= 10_000 else str(value)


def aligned(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """As psql aligns it; a Hangul syllable is two columns wide."""
    cells = [[" ".join(str("" if value is None else value).split()) for value in row] for row in rows]
    widths = [max(cell_len(row[column]) for row in [list(names), *cells]) for column in range(len(names))]
    right = [bool(rows) and all(isinstance(row[column], RIGHT) for row in rows) for column in range(len(names))]

    def line(row: Sequence[str], *, head: bool = False) -> str:
        padded = []
        for text, width, numeric in zip(row, widths, right, strict=True):
            space = width - cell_len(text)
            before = space // 2 if head else space if numeric else 0
            padded.append(f" {' ' * before}{text}{' ' * (space - before)} ")
        return "|".join(padded).rstrip()

    rule = "+".join("-" * (width + 2) for width in widths)
    count = f"({len(rows)} row{'' if len(rows) == 1 else 's'})"
    return "\n".join([line(names, head=True), rule, *(line(row) for row in cells), count])
