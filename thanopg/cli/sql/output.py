"""A result on stdout: a table for people, CSV or JSON for programs, pictures where they can be shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Literal

from thanopg.cli.screen import Screen, aligned
from thanopg.cli.sql.cells import as_json, as_text, for_people
from thanopg.cli.sql.drawn import draw_table
from thanopg.config import ImageLimits
from thanopg.thanosql.result import Images, Message, Result, Table
from thanopg.thanosql.session import Session

Form = Literal["text", "csv", "json"]
MOST_ROWS = 100
"""that a terminal shows; a pipe gets all"""
MOST_PICTURES = 100
MOST_LOOKED_AT = 1000
"""pictures of which it is seen whether they are there"""
SIMILARITY = "{:.6f}"


class Output:
    def __init__(self, form: Form, screen: Screen, session: Session, limits: ImageLimits) -> None:
        self._form = form
        self._screen = screen
        self._session = session
        self._limits = limits

    def show(self, result: Result) -> None:
        if isinstance(result, Message):
            self._screen.say(result.text)
        elif self._form == "text" and isinstance(result, Table):
            self._show_table(result)
        elif self._form == "text" and isinstance(result, Images) and self._screen.out.is_terminal:
            self._show_pictures(result)
        else:
            if isinstance(result, Images):
                self._warn_of_missing(result)
            self._write(self._plain(result))

    def _plain(self, result: Table | Images) -> str:
        if self._form == "text" and isinstance(result, Images):
            return "".join(f"{picture.label}\n" for picture in result.pictures if picture.source is not None)
        table = result if isinstance(result, Table) else table_of(result)
        return json_of(table) if self._form == "json" else csv_of(table)

    def _warn_of_missing(self, images: Images) -> None:
        """Who prints paths into a pipe sees no picture that would say it."""
        looked_at = images.pictures[:MOST_LOOKED_AT]
        missing = [picture for picture in looked_at if not self._session.is_there(picture)]
        if missing:
            self._screen.warn(
                f"{len(missing)} of {len(looked_at)} values of column {images.column} "
                "name no file below the image root; "
                f"the first is {missing[0].source!r}"
            )

    def _write(self, text: str) -> None:
        self._screen.out.file.write(text)
        self._screen.out.file.flush()

    def _show_table(self, table: Table) -> None:
        if not self._screen.out.is_terminal:
            self._write(aligned(table.columns, readable(table, table.rows)) + "\n")
            return
        drawn = draw_table(table.columns, readable(table, table.rows[:MOST_ROWS]), width=self._screen.out.width)
        self._screen.out.print(drawn, soft_wrap=False, no_wrap=True, overflow="crop", crop=True)
        more = len(table.rows) - MOST_ROWS
        count = f"({len(table.rows):,} row{'' if len(table.rows) == 1 else 's'})"
        self._screen.data(count)
        if more > 0:
            self._screen.say(f"{more:,} more rows are not shown; --csv, --json or a pipe give all")

    def _show_pictures(self, images: Images) -> None:
        from thanopg.cli.sql.pictures import draw_picture

        for picture in images.pictures[:MOST_PICTURES]:
            draw_picture(self._screen, picture, self._session.read_picture, self._limits)
        more = images.total - min(len(images.pictures), MOST_PICTURES)
        if more > 0:
            self._screen.say(f"{more:,} more pictures are not shown; --html writes a page with all")


def table_of(images: Images) -> Table:
    """PRINT IMAGE for programs: one column, the path of each picture."""
    return Table(
        columns=(images.column,),
        rows=tuple((None if picture.source is None else picture.label,) for picture in images.pictures),
    )


def json_of(table: Table) -> str:
    """An array of objects, one a line. A second column of a name gets a number."""
    names = list(_distinct(table.columns))
    objects = [
        json.dumps({name: as_json(value) for name, value in zip(names, row, strict=True)}, ensure_ascii=False)
        for row in table.rows
    ]
    return "[" + ",\n ".join(objects) + "]\n"


def csv_of(table: Table) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([as_text(value) for value in row] for row in table.rows)
    return buffer.getvalue()


def readable(table: Table, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    scores = [name in table.similarity_columns for name in table.columns]
    return [
        tuple(
            Decimal(SIMILARITY.format(value)) if score and isinstance(value, float) else for_people(value)
            for value, score in zip(row, scores, strict=True)
        )
        for row in rows
    ]


def _distinct(names: Sequence[str]) -> Iterator[str]:
    taken = set(names)
    seen: set[str] = set()
    for name in names:
        number, unused = 1, name
        while unused in seen or (number > 1 and unused in taken):
            number += 1
            unused = f"{name}_{number}"
        seen.add(unused)
        yield unused
