"""The bars of long statements: one for each kind of work, moving on a terminal, one line at the end elsewhere."""

from __future__ import annotations

from thanopg.cli.progress import Bar
from thanopg.cli.screen import Screen
from thanopg.thanosql.result import Progress


class Bars:
    """Hears a session's progress; `finish` when the statement is over."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._bar: Bar | None = None
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        before = self._last
        if before is None or (before.what, before.total) != (progress.what, progress.total):
            self.finish()
            total = float(progress.done if progress.total is None else progress.total)
            self._bar = Bar(self._screen, progress.what, total=total, unit=progress.unit)
            self._bar.__enter__()
        self._last = progress
        assert self._bar is not None
        self._bar.set(progress.done, note=progress.note)

    def finish(self) -> None:
        """With a summary where the work was done to its end."""
        if self._bar is not None and self._last is not None:
            ended = None if self._last.done == self._last.total else InterruptedError()
            self._bar.__exit__(type(ended) if ended else None, ended, None)
        self._bar = self._last = None
