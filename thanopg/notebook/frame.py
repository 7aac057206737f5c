"""Rows as a pandas DataFrame, with small pictures in it where they are asked for."""

from __future__ import annotations

import pandas as pd

from thanopg.notebook.pictures import picture_html
from thanopg.thanosql.result import Table

MOST_THUMBNAILS = 100
SIDE = 96

Thumbnails = dict[str | bytes, str]
"""source → data: URI"""


def frame_of(table: Table) -> pd.DataFrame:
    """Column names may be there twice. Whole numbers stay whole where some are NULL."""
    columns = list(zip(*table.rows, strict=True)) if table.rows else [() for _ in table.columns]
    series = {number: _series(list(values)) for number, values in enumerate(columns)}
    frame = pd.DataFrame(series, index=range(len(table.rows)))
    frame.columns = pd.Index(table.columns)
    return frame


class PictureFrame(pd.DataFrame):  # type: ignore[misc]  # pandas has no types here
    """A DataFrame whose cells are shown as pictures where `thumbnails` has one for the value."""

    _metadata = ("thumbnails",)
    thumbnails: Thumbnails

    @classmethod
    def make(cls, frame: pd.DataFrame, thumbnails: Thumbnails) -> PictureFrame:
        made = cls(frame)
        made.thumbnails = thumbnails
        return made

    @property
    def _constructor(self) -> type[PictureFrame]:
        return PictureFrame

    def _repr_html_(self) -> str | None:
        thumbnails: Thumbnails = getattr(self, "thumbnails", None) or {}
        marks = {source: f"picture{number}of{len(thumbnails)}" for number, source in enumerate(thumbnails)}

        def mark(value: object) -> object:
            return marks.get(value, value) if isinstance(value, str | bytes) else value

        html: str | None = pd.DataFrame(self.astype(object).map(mark))._repr_html_()
        for source, found in marks.items() if html else ():
            html = str(html).replace(found, picture_html(thumbnails[source], _name(source), SIDE))
        return html


def _name(source: str | bytes) -> str:
    return source if isinstance(source, str) and not source.startswith("data:") else "picture"


def _series(values: list[object]) -> pd.Series:
    series = pd.Series(values, dtype=object)
    present = [value for value in values if value is not None]
    if present and len(present) < len(values) and all(type(value) is int and _fits(value) for value in present):
        return series.astype("Int64")
    return series.infer_objects()


def _fits(value: object) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63
