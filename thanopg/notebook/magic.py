"""`%thanosql` and `%%thanosql`: one request in, one result shown or returned."""

from __future__ import annotations

import sys
import warnings
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import needs_local_scope, no_var_expand

from thanopg.errors import ImageError, ThanopgError
from thanopg.notebook.complaint import without_traceback
from thanopg.notebook.connection import Connector
from thanopg.notebook.progress import Bar
from thanopg.notebook.request import Connect, Run, UseToken, understand
from thanopg.notebook.variables import split, statement_in_variable
from thanopg.thanosql.result import Images, Result, Table

NAME = "thanosql"
UNKNOWN = "note: no column of this result is known to hold pictures; --thumbnails=column names it"


class Magic:
    """One for each IPython shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._bar = Bar(moving=hasattr(shell, "kernel"))  # a terminal has none
        self._connector = Connector(say=print, on_progress=self._bar)

    def register(self) -> None:
        self._shell.magics_manager.register_function(self.thanosql, magic_kind="line_cell", magic_name=NAME)

    def close(self) -> None:
        self._connector.close()
        for kind in ("line", "cell"):
            self._shell.magics_manager.magics[kind].pop(NAME, None)

    @no_var_expand  # a $name is a value, never pasted into the statement
    @needs_local_scope
    def thanosql(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Run ThanoSQL or SQL; rows come back as a pandas DataFrame.

        %thanosql postgresql://user@host/database    connect; without it: THANOPG_DATABASE_URL, or the embedded server
        %thanosql API_TOKEN=…                        the password, if the URL has none
        frame = %thanosql SELECT * FROM photo WHERE id = $number
        %%thanosql [--thumbnails[=column]]           the statement is the rest of the cell; with pictures in the table

        `$number` is the Python variable `number`, always sent as a value. COPY photo FROM $frame reads a DataFrame.
        """
        try:
            match understand(line, cell):
                case Connect(url):
                    self._connector.use_url(url)
                case UseToken(token):
                    self._connector.use_token(token)
                case Run(statement, thumbnails) if statement.strip():
                    names = ChainMap(dict(local_ns or {}), self._shell.user_ns)
                    return self._show(self._run(statement, names), thumbnails=thumbnails)
        except (ThanopgError, KeyboardInterrupt) as error:
            if isinstance(error, ThanopgError):
                self._connector.forget_if_lost(error)
            raise without_traceback(error, colour=self._shell.colors.lower() != "nocolor") from None
        return None

    def _run(self, statement: str, names: Mapping[str, Any]) -> Result:
        values, frames = split({name: names[name] for name in names if name not in self._shell.user_ns_hidden})
        session = self._connector.session()
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="IProgress not found")  # of tqdm, when a model is loaded
                result = session.run(statement_in_variable(statement, names), parameters=values, frames=frames)
        except BaseException:
            self._bar.finish(succeeded=False)
            raise
        self._bar.finish()
        return result

    def _show(self, result: Result, *, thumbnails: str | None) -> Any:
        for note in result.notes:
            print(f"note: {note}")
        for warning in result.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if isinstance(result, Table):
            return self._frame(result, thumbnails=thumbnails)
        if isinstance(result, Images):
            self._print_images(result)
        else:
            print(result.text)
        return None

    def _frame(self, table: Table, *, thumbnails: str | None) -> Any:
        from thanopg.notebook.frame import MOST_THUMBNAILS, SIDE, PictureFrame, frame_of
        from thanopg.notebook.pictures import thumbnail

        frame = frame_of(table)
        if thumbnails is None:
            return frame
        session = self._connector.session()
        wanted = (thumbnails,) if thumbnails else table.image_columns
        places = [place for place, name in enumerate(table.columns) if name in wanted]
        sources = [
            row[place]
            for row in table.rows[:MOST_THUMBNAILS]
            for place in places
            if isinstance(row[place], str | bytes)
        ]
        if not places:
            print(f"note: no column {thumbnails} in this result" if thumbnails else UNKNOWN)
        found = {}
        for source in dict.fromkeys(sources):
            try:
                found[source] = thumbnail(source, session.read_picture, self._connector.limits, SIDE)
            except ImageError as error:
                print(f"note: {source!r:.80}: {error.message}")
        return PictureFrame.make(frame, found)

    def _print_images(self, images: Images) -> None:
        from IPython.display import display

        from thanopg.notebook.pictures import sheet_of

        sheet = sheet_of(images, self._connector.session().read_picture, self._connector.limits)
        display(sheet)  # type: ignore[no-untyped-call]  # IPython's
