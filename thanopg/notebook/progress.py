"""A bar that moves in one place of the output; when the work is done, one line says how much and how fast."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from thanopg.thanosql.result import Progress

PAUSE_SECONDS = 0.2
"""between two changes of what is shown"""


class Bar:
    """One for each kind of work within a statement; `finish` when the statement is over."""

    def __init__(self) -> None:
        self._last: Progress | None = None
        self._shown: Any = None
        self._began = self._drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._last is not None and self._last.what != progress.what:
            self.finish()
        if self._last is None:
            self._began, self._drawn = time.monotonic(), 0.0
        self._last = progress
        if time.monotonic() - self._drawn >= PAUSE_SECONDS:
            self._drawn = time.monotonic()
            self._draw(Moving(progress))

    def finish(self) -> None:
        if self._last is not None:
            self._draw(Done(self._last, time.monotonic() - self._began))
        self._last = self._shown = None

    def _draw(self, what: Moving | Done) -> None:
        from IPython.display import display

        if self._shown is None:
            self._shown = display(what, display_id=True)  # type: ignore[no-untyped-call]  # IPython's
        else:
            self._shown.update(what)


class Moving:
    """`embedding unsplash_data ▓▓▓▓░░ 120 of 200 rows · 2 workers`"""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def _repr_html_(self) -> str:
        progress = self._progress
        share = f' max="{max(progress.total, 1)}" value="{progress.done}"' if progress.total is not None else ""
        return f"<div>{escape(progress.what)} <progress{share}></progress> {escape(self._count())}</div>"

    def __repr__(self) -> str:
        return f"{self._progress.what}: {self._count()}"

    def _count(self) -> str:
        progress = self._progress
        of = f" of {progress.total:,}" if progress.total is not None else ""
        return " · ".join(filter(None, [f"{progress.done:,}{of} {progress.unit}", progress.note]))


class Done:
    """`embedding unsplash_data: 200 rows in 2.1 s`"""

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._seconds = seconds

    def _repr_html_(self) -> str:
        return f"<div>{escape(repr(self))}</div>"

    def __repr__(self) -> str:
        progress = self._progress
        line = f"{progress.what}: {progress.done:,} {progress.unit} in {self._seconds:.1f} s"
        return " · ".join(filter(None, [line, progress.note]))
