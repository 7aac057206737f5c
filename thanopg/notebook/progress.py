"""A bar that moves in one place of the output; when the work is done, one line says how much and how fast."""

from __future__ import annotations

import time
from dataclasses import replace
from html import escape
from typing import Any

from thanopg.bench.expected import in_words, rate_in_words
from thanopg.thanosql.result import Progress

PAUSE_SECONDS = 0.2
"""between two changes of what is shown; what is over before the first is not worth a bar"""


class Bar:
    """One for each kind of work within a statement; `finish` when the statement is over."""

    def __init__(self, *, moving: bool) -> None:
        """`moving`: what is shown can be replaced; otherwise only the line at the end is."""
        self._moving = moving
        self._last: Progress | None = None
        self._shown: Any = None
        self._began = self._drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        if self._last is not None and self._last.what != progress.what:
            self.finish()
        if self._last is None:
            self._began = self._drawn = time.monotonic()
        self._last = progress
        if self._moving and (time.monotonic() - self._drawn >= PAUSE_SECONDS or progress.total is None):
            self._drawn = time.monotonic()
            self._draw(Moving(progress))

    def finish(self, *, succeeded: bool = True) -> None:
        last, seconds = self._last, time.monotonic() - self._began
        if last is not None and succeeded and last.total is not None:
            last = replace(last, done=last.total)
        if last is not None and (self._shown is not None or seconds >= PAUSE_SECONDS):
            self._draw(Done(last, seconds))
        self._last = self._shown = None

    def _draw(self, what: Moving | Done) -> None:
        from IPython.display import display

        if self._shown is None:
            self._shown = display(what, display_id=True)  # type: ignore[no-untyped-call]  # IPython's
        else:
            self._shown.update(what)


class Moving:
    """`embedding unsplash_data ▓▓▓▓░░ 120 of 200 rows · 2 workers · 12 rows/s · about 7 seconds left`"""

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
        parts = [f"{progress.done:,}{of} {progress.unit}", progress.note]
        if progress.rate and progress.seconds_left is not None:
            parts.append(f"{rate_in_words(progress.rate)} {progress.unit}/s")
            parts.append(f"about {in_words(progress.seconds_left)} left")
        return " · ".join(filter(None, parts))


class Done:
    """`embedding unsplash_data: 200 rows in 2.1 s`"""

    def __init__(self, progress: Progress, seconds: float) -> None:
        self._progress = progress
        self._seconds = seconds

    def _repr_html_(self) -> str:
        return f"<div>{escape(repr(self))}</div>"

    def __repr__(self) -> str:
        progress = self._progress
        seconds = f"{self._seconds:.1f} s"
        of = f" of {progress.total:,}" if progress.total not in (None, progress.done) else ""
        line = seconds if progress.total is None else f"{progress.done:,}{of} {progress.unit} in {seconds}"
        return " · ".join(filter(None, [f"{progress.what}: {line}", progress.note]))
