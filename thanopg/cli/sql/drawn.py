"""Rows on a terminal, a line each: the room is shared out fairly and what is too wide is cut; else a block each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from thanopg.cli.screen import RIGHT

GAP = 2
NARROWEST = 8
"""columns with less room than this can't be read: then every row is a block of its own"""


def draw_table(names: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int) -> RenderableType:
    """`width`: of the terminal, in cells."""
    cells = [["" if value is None else " ".join(str(value).split()) for value in row] for row in rows]
    numeric = [
        bool(rows) and all(row[place] is None or isinstance(row[place], RIGHT) for row in rows)
        for place in range(len(names))
    ]
    widths = share_out(names, cells, numeric, width)
    if widths is None:
        return Group(*(_block(names, row, number) for number, row in enumerate(cells, 1)))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for name, size, right in zip(names, widths, numeric, strict=True):
        justify = "right" if right else "left"
        table.add_column(Text(shortened(name, size)), justify=justify, width=size, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def share_out(
    names: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> list[int] | None:
    """The width of each column: what it wants, at most an equal share, but for numbers. None: there is no room."""
    columns = list(zip(*cells, strict=True)) if cells else [() for _ in names]
    values = [max(map(cell_len, column), default=0) for column in columns]
    wanted = [max(value, cell_len(name), 1) for value, name in zip(values, names, strict=True)]
    least = [
        value if right else min(want, NARROWEST) for value, want, right in zip(values, wanted, numeric, strict=True)
    ]
    room = width - GAP * (len(names) - 1)
    share = max(wanted, default=0)
    while sum(sizes := [max(low, min(want, share)) for low, want in zip(least, wanted, strict=True)]) > room:
        if share <= NARROWEST:
            return None
        share -= 1
    return sizes


def shortened(name: str, size: int) -> str:
    """Cut in its middle: `tutorial_se…similarity1`, because the ends of names tell them apart."""
    if len(name) <= size or not name.isascii():
        return name
    behind = size // 2
    return f"{name[: size - behind - 1]}…{name[len(name) - behind :]}"


def _block(names: Sequence[str], row: Sequence[str], number: int) -> RenderableType:
    block = Table.grid(padding=(0, GAP, 0, 0))
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for name, value in zip(names, row, strict=True):
        block.add_row(Text(name), Text(value))
    return Group(Text(f"─ row {number} ─", style="dim"), block)
