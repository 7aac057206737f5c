"""A progress bar on a terminal; elsewhere one line when the work is done."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from thanopg.cli.screen import Screen


class Bar:
    """`with Bar(screen, "embedding", total=1000, unit="rows") as bar: bar.set(10)`"""

    def __init__(self, screen: Screen, what: str, *, total: float, unit: str) -> None:
        self._screen = screen
        self._what = what
        self._total = total
        self._unit = unit
        self._began = time.monotonic()
        self._progress: Progress | None = None
        if screen.err.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn(f"{unit} {{task.fields[note]}}"),
                TimeRemainingColumn(compact=True),
                TextColumn("left"),
                console=screen.err,
                transient=True,
            )

    def __enter__(self) -> Bar:
        if self._progress is not None:
            self._progress.start()
            self._task = self._progress.add_task(self._what, total=self._total, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()
        if error is None:
            self._screen.done(f"{self._what}: {self.summary()}")

    def set(self, done: float, *, note: str = "") -> None:
        if self._progress is not None:
            self._progress.update(self._task, completed=done, note=Text(note).plain)

    def summary(self) -> str:
        seconds = time.monotonic() - self._began
        if self._unit == "%":
            return f"{seconds:.1f} s"
        rate = self._total / max(seconds, 0.001)
        return f"{self._total:,.0f} {self._unit} in {seconds:.1f} s, {rate:,.0f} a second"
