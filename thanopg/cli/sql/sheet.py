"""`--html`: a page with the pictures of every statement that gave some."""

from __future__ import annotations

import re
from pathlib import Path

from thanopg.config import ImageLimits
from thanopg.errors import ThanopgError
from thanopg.gallery.page import Hit, Search, render_page
from thanopg.gallery.thumbnail import SIDE, data_uri, small_picture
from thanopg.thanosql.result import Images, Result, Table
from thanopg.thanosql.session import Session

TITLE = "thanopg"
INTRODUCTION = "Pictures found by ThanoSQL, in the order of the rows."
SEARCHED = re.compile(r"\b(?:texts?|search_input)\s*=\s*\[?\s*([\"'])(.+?)\1", re.IGNORECASE | re.DOTALL)
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")
LONGEST_HEADING = 80


class Sheet:
    def __init__(self, path: Path, session: Session, limits: ImageLimits) -> None:
        self.path = path
        self.count = 0
        self._session = session
        self._limits = limits
        self._searches: list[Search] = []

    def add(self, statement: str, result: Result, milliseconds: float) -> None:
        """Results without pictures leave nothing behind."""
        hits = self._hits(result)
        if not hits:
            return
        heading = heading_of(statement)
        self.count += len(hits)
        self._searches.append(
            Search(
                query=heading,
                language="ko" if HANGUL.search(heading) else "en",
                statement=statement,
                hits=hits,
                milliseconds=milliseconds,
            )
        )

    def write(self) -> None:
        """Raises OSError."""
        footer = "" if self._searches else "no statement gave a picture"
        html = render_page(title=TITLE, introduction=INTRODUCTION, searches=self._searches, footer=footer)
        self.path.write_text(html, encoding="utf-8")

    def _hits(self, result: Result) -> list[Hit]:
        if isinstance(result, Images):
            return [
                self._hit(picture.source, picture.path.name if picture.path else "", None)
                for picture in result.pictures
            ]
        if isinstance(result, Table) and result.image_columns:
            place = result.columns.index(result.image_columns[0])
            scores = [result.columns.index(name) for name in result.similarity_columns[:1]]
            return [self._hit(row[place], "", row[scores[0]] if scores else None) for row in result.rows]
        return []

    def _hit(self, source: str | bytes | None, name: str, similarity: float | None) -> Hit:
        path = source if isinstance(source, str) and not source.startswith("data:") else ""
        shown = ""
        try:
            if source is not None:
                shown = data_uri(small_picture(self._session.read_picture(source), SIDE, self._limits))
        except ThanopgError as error:
            name = error.message
        return Hit(
            name=name or Path(path).name or ("NULL" if source is None else "picture"),
            similarity=similarity,
            picture=shown,
            path=path,
        )


def heading_of(statement: str) -> str:
    """The text that was searched for, or else how the statement begins."""
    found = SEARCHED.search(statement)
    heading = " ".join((found[2] if found else statement).split())
    return heading if len(heading) <= LONGEST_HEADING else heading[: LONGEST_HEADING - 1] + "…"
