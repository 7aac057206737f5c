"""The prompt of `thanopg sql`: a statement may have many lines, and runs with `;` or with an empty line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import PostgresLexer  # type: ignore[import-untyped]  # it has no types

from thanopg.cli.sql.completion import Words
from thanopg.cli.sql.runner import Runner
from thanopg.errors import ThanopgError
from thanopg.thanosql.session import Vocabulary

ASK, GO_ON = "thanosql> ", "     ...> "
WELCOME = "thanopg: ThanoSQL and SQL. ; or an empty line runs it, Tab completes, \\? helps, Ctrl-D leaves."
LEAVE = frozenset({"\\q", "exit", "quit"})
HELP = frozenset({"\\?", "\\h", "help"})
COMMANDS = frozenset({"\\q", "\\?", "\\h"})
"""these also in a later line of a statement, which may be hard to end otherwise"""
NOTHING = Vocabulary(keywords=(), options=(), models=(), bases=(), tables=(), columns=())
HELP_TEXT = """\
LIST TABLE          the tables                        LIST MODEL     the models
COPY t FROM 'photos.csv'                              a file or a folder of images becomes a table
CONVERT USING m OPTIONS(table_name="t") AS SELECT * FROM t
SELECT id, m_catalog_similarity1 AS score FROM (SEARCH IMAGE text="a red dress" USING m AS SELECT * FROM t)
  ORDER BY score DESC LIMIT 5                         rows, best first; m is a model on the base catalog
PRINT IMAGE AS SELECT image_path FROM t LIMIT 5       shows pictures
\\q leaves, \\? shows this; Ctrl-C stops what runs. Everything else is SQL."""


class Prompt:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: Vocabulary | None = None
        self._session: PromptSession[str] = PromptSession(
            ASK,
            prompt_continuation=GO_ON,
            multiline=True,
            key_bindings=enter_runs(self._ready),
            history=history(platformdirs.user_state_path("thanopg") / "sql_history"),
            completer=Words(self._vocabulary),
            auto_suggest=AutoSuggestFromHistory(),
            lexer=PygmentsLexer(PostgresLexer),
        )

    def run(self) -> None:
        """Until Ctrl-D."""
        self._runner.screen.say(WELCOME)
        begun = ""
        while True:
            try:
                text = self._session.prompt(default=begun).strip()
            except KeyboardInterrupt:
                begun = ""
                continue
            except EOFError:
                return
            begun, word = command_in(text)
            if word in LEAVE:
                return
            if word in HELP:
                self._runner.screen.say(HELP_TEXT)
            elif text:
                self._run(text)

    def _run(self, text: str) -> None:
        try:
            self._runner.run(text)
        except ThanopgError as error:
            self._runner.complain(error)
        except KeyboardInterrupt:
            self._runner.screen.say("interrupted")
        self._known = None

    def _vocabulary(self) -> Vocabulary:
        """Asked once for each statement. Who types is not told that the database can't be asked now."""
        if self._known is None:
            with suppress(ThanopgError):
                self._known = self._runner.session.vocabulary()
        return self._known or NOTHING

    def _ready(self, text: str) -> bool:
        """Is Enter behind `text` to run it?"""
        stripped = text.strip()
        if not stripped or command_in(text)[1]:
            return True
        last_line = text.rpartition("\n")[2]
        return (stripped.endswith(";") or not last_line.strip()) and self._runner.session.is_complete(stripped)


def command_in(text: str) -> tuple[str, str]:
    """A statement that was begun, and the command in its last line; both may be empty."""
    word = text.strip().rstrip("; ").lower()
    if word in LEAVE | HELP:
        return "", word
    begun, _, last_line = text.strip().rpartition("\n")
    return (begun, last_line.strip()) if last_line.strip() in COMMANDS else ("", "")


def enter_runs(ready: Callable[[str], bool]) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None  # what is chosen in the menu stays
        elif ready(buffer.text) and not buffer.document.text_after_cursor.strip():
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=True)

    return bindings


def history(path: Path) -> History:
    """Kept between sessions, readable by the user alone; only in memory where nothing can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
