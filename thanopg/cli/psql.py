"""`thanopg psql`: the psql that comes with the embedded server, on the right database."""

from __future__ import annotations

import os
import shutil

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg psql
  thanopg psql -c "SELECT rank, image FROM search_image('밝은 빨간색 미니 원피스', 'catalog')"
  thanopg psql --csv -f report.sql
"""
EVERYTHING_ELSE = {"ignore_unknown_options": True, "allow_extra_args": True}


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG, context_settings=EVERYTHING_ELSE)(psql)


@with_settings("home", "database_url")  # -v is psql's own
def psql(settings: Settings, context: typer.Context) -> None:
    """Open psql; everything that is not an option of ours is handed to it."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from thanopg.cli.target import database_url
    from thanopg.database.server import EmbeddedServer

    url = database_url(settings)
    program = shutil.which("psql") if settings.database_url else None
    program = program or str(EmbeddedServer(settings.home).bin("psql"))
    named = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    environment = {"PGCLIENTENCODING": "UTF8", **os.environ}
    if named.get("password"):
        environment["PGPASSWORD"] = named.pop("password")  # everybody could read it in an argument
    # an error of a function of ours says all in its message and hint; where in it that was is of no use
    arguments = ["--set=SHOW_CONTEXT=never", "--dbname", make_conninfo(**named), *context.args]
    os.execve(program, ["psql", *arguments], environment)  # noqa: S606
