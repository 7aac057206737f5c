"""`thanopg sql`: ThanoSQL and SQL from the command line: one statement, a file, standard input, or a prompt."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from thanopg.cli.failure import FAILED
from thanopg.cli.options import verbosity, with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg sql                                             a prompt; Tab completes
  thanopg sql "LIST MODEL"
  thanopg sql --json "SELECT id, name, catalog_catalog_similarity1 AS score
      FROM (SEARCH IMAGE text='a red dress' USING catalog AS SELECT * FROM product)
      ORDER BY score DESC LIMIT 5"
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
    from thanopg.errors import InvalidArgument

    if statement is not None and file is not None:
        raise InvalidArgument("a statement and a file are given", hint="give one of them")
    if as_json and as_csv:
        raise InvalidArgument("--json and --csv exclude each other")
    parameters = dict(map(name_and_value, values or ()))
    script = None if file is None else file.read_text(encoding="utf-8-sig")
    if script is None and statement is None and not (sys.stdin and sys.stdin.isatty()):
        script = sys.stdin.read()

    from thanopg.cli.sql.runner import open_runner
    from thanopg.cli.sql.script import statements

    with open_runner(
        with_image_root(context, settings), "json" if as_json else "csv" if as_csv else "text", parameters, sheet=html
    ) as runner:
        if statement is None and script is None:
            from thanopg.cli.sql.prompt import Prompt

            Prompt(runner).run()
            return
        given = [statement] if statement is not None else statements(script or "")
        if not runner.run_all(given, verbose=verbosity(context) > 0):
            raise typer.Exit(FAILED)


def name_and_value(text: str) -> tuple[str, object]:
    """Raises InvalidArgument."""
    from thanopg.errors import InvalidArgument

    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise InvalidArgument(f"expected NAME=VALUE, not {text!r}", hint="for example: --set n=5, for $n")
    return name, value


def with_image_root(context: typer.Context, settings: Settings) -> Settings:
    """Where images are below is what the user says, or else what the home's running worker was told."""
    from thanopg.cli.stack.state import StateFile, is_held

    said = context.find_root().ensure_object(dict).get("image_root") or os.environ.get("THANOPG_IMAGE_ROOT")
    if said or settings.database_url is not None or not is_held(settings.home):
        return settings
    state = StateFile(settings.home).read()
    return replace(settings, image_root=Path(state.image_root)) if state and state.image_root else settings
