"""One connection of `thanopg sql`: runs statements, shows what they give, says what is wrong with them."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from thanopg.cli.screen import Screen
from thanopg.cli.sql.output import Form, Output
from thanopg.cli.sql.progress import Bars
from thanopg.cli.target import database_url
from thanopg.config import Settings
from thanopg.errors import ThanopgError, explain
from thanopg.thanosql.session import Session

if TYPE_CHECKING:
    from thanopg.cli.sql.sheet import Sheet


@contextmanager
def open_runner(
    settings: Settings, form: Form, parameters: Mapping[str, object], *, sheet: Path | None = None
) -> Iterator[Runner]:
    """Raises DatabaseUnavailable, InstallError."""
    screen = Screen()
    bars = Bars(screen)
    with Session(database_url(settings), settings, on_progress=bars) as session:
        output = Output(form, screen, session, settings.limits)
        yield Runner(session, screen, bars, output, parameters, _sheet(sheet, session, settings))


def _sheet(path: Path | None, session: Session, settings: Settings) -> Sheet | None:
    if path is None:
        return None
    from thanopg.cli.sql.sheet import Sheet  # its templates are not needed otherwise

    return Sheet(path, session, settings.limits)


class Runner:
    def __init__(
        self,
        session: Session,
        screen: Screen,
        bars: Bars,
        output: Output,
        parameters: Mapping[str, object],
        sheet: Sheet | None,
    ) -> None:
        self.session = session
        self.screen = screen
        self._bars = bars
        self._output = output
        self._parameters = parameters
        self._sheet = sheet

    def run(self, statement: str) -> None:
        """Raises what Session.run does."""
        began = time.monotonic()
        try:
            result = self.session.run(statement, parameters=self._parameters)
        except BaseException:
            self._bars.finish(succeeded=False)
            raise
        self._bars.finish()
        milliseconds = 1000 * (time.monotonic() - began)
        for note in result.notes:
            self.screen.say(f"note: {note}")
        for warning in result.warnings:
            self.screen.warn(warning)
        self._output.show(result)
        if self._sheet is not None:
            self._sheet.add(statement, result, milliseconds)

    def run_all(self, given: Iterable[str], *, verbose: bool = False) -> bool:
        """Until the first error, which is said on stderr. False: there was one."""
        try:
            for statement in given:
                self.run(statement)
        except ThanopgError as error:
            if verbose:
                traceback.print_exception(error)
            self.complain(error)
            return False
        if self._sheet is not None:
            self._sheet.write()
            self.screen.done(f"{self._sheet.count} pictures in {self._sheet.path}")
        return True

    def complain(self, error: ThanopgError) -> None:
        sys.stdout.flush()
        for line in explain(error):
            self.screen.say(line)
