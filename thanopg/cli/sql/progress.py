"""The bars of long statements: one for each kind of work, moving on a terminal, one line at the end elsewhere."""

from __future__ import annotations

from contextlib import ExitStack

from thanopg.bench.expected import in_words, rate_in_words
from thanopg.cli.progress import Bar
from thanopg.cli.screen import Screen
from thanopg.thanosql.result import Progress

WORTH_SAYING_SECONDS = 10.0
"""of waiting, before it begins"""


class Bars:
    """Hears a session's progress; `finish` when the statement is over."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._open = ExitStack()
        self._bar: Bar | None = None
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        last = self._last
        if last is None or (last.what, last.total) != (progress.what, progress.total):
            self.finish()
            self._begin(progress)
        self._last = progress
        if self._bar is not None:
            rate = f"{rate_in_words(progress.rate)} {progress.unit}/s" if progress.rate else ""
            self._bar.set(progress.done, note=", ".join(filter(None, (progress.note, rate))))

    def finish(self, *, succeeded: bool = True) -> None:
        """With a summary where the work was done to its end."""
        bar = self._bar
        self._bar = self._last = None
        if bar is not None:
            ended = None if succeeded else InterruptedError()
            bar.__exit__(type(ended) if ended else None, ended, None)
        self._open.close()

    def _begin(self, progress: Progress) -> None:
        if progress.total is None:
            self._open.enter_context(self._screen.step(progress.what))
            return
        if progress.rate and progress.seconds_left and progress.seconds_left >= WORTH_SAYING_SECONDS:
            self._screen.say(
                f"{progress.what}: {progress.total:,} {progress.unit}, about {in_words(progress.seconds_left)} "
                f"at {rate_in_words(progress.rate)} {progress.unit}/s"
            )
        self._bar = Bar(self._screen, progress.what, total=progress.total, unit=progress.unit)
        self._bar.__enter__()
