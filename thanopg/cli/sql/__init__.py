"""`thanopg sql`: ThanoSQL and SQL from the command line: one statement, a file, standard input, or a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thanopg.cli.options import verbosity, with_settings
from thanopg.config import Settings

if TYPE_CHECKING:
    from thanopg.thanosql.result import Result
    from thanopg.thanosql.session import Session

EPILOG = """\b
Examples:
  thanopg sql                                             a prompt; Tab completes
  thanopg sql "LIST MODEL"
  thanopg sql --json "SEARCH IMAGE text='a black cat' USING clip AS SELECT * FROM photo"
  thanopg sql --html found.html "PRINT IMAGE AS SELECT image_path FROM photo LIMIT 20"
  thanopg sql --set n=5 'SELECT * FROM photo LIMIT $n'
  thanopg sql -f tutorial.sql
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(sql)


@with_settings("home", "database_url", "image_root", "device", "verbose")
def sql(
    settings: Settings,
    context: typer.Context,
    statement: Annotated[
        str | None, typer.Argument(show_default=False, help="What to run; without it, standard input or a prompt.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Statements, each but the last ended by ;.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of objects for every table.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Comma-separated values, with a line of names.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with the pictures.")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="$NAME in a statement stands for this value; repeatable."),
    ] = None,
) -> None:
    """Run ThanoSQL and SQL.

    Tables are drawn on a terminal and aligned in a pipe. PRINT IMAGE shows pictures in terminals that can, and one
    path a line in a pipe. The first error ends it, with exit code 1.
    """
    import sys

    from thanopg.errors import InvalidArgument

    if statement is not None and file is not None:
        raise InvalidArgument("a statement and a file are given", hint="give one of them")
    if as_json and as_csv:
        raise InvalidArgument("--json and --csv exclude each other")
    parameters = dict(_pair(text) for text in values or ())
    settings = _with_image_root(context, settings)
    text = statement if statement is not None else file.read_text(encoding="utf-8-sig") if file is not None else None
    if text is None and not (sys.stdin and sys.stdin.isatty()):
        text = sys.stdin.read()
    with _session(settings) as (session, bar):
        from thanopg.cli.sql.output import output

        out = output("json" if as_json else "csv" if as_csv else "text", session, settings)
        if text is None:
            from thanopg.cli.sql.prompt import Prompt

            Prompt(session, out, bar, parameters=parameters).run()
        else:
            _run_all(session, text, parameters, out, bar, html, settings, verbosity(context))


def _run_all(
    session: Session,
    text: str,
    parameters: dict[str, object],
    out: Output,
    bar: Bar,
    html: Path | None,
    settings: Settings,
    verbose: int,
) -> None:
    from thanopg.cli.sql.complaint import complain
    from thanopg.cli.sql.script import statements
    from thanopg.cli.sql.sheet import write_sheet
    from thanopg.errors import ThanopgError

    done: list[tuple[str, Result, float]] = []
    ...
