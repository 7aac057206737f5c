"""`thanopg url`: the database URL, for programs."""

from __future__ import annotations

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Example:
  pg_dump "$(thanopg url)" > backup.sql
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(url)


@with_settings("home", "database_url", "verbose")
def url(settings: Settings) -> None:
    """Print the database URL, with its password."""
    import sys

    from thanopg.cli.target import command
    from thanopg.database.server import EmbeddedServer

    if settings.database_url is not None:
        print(settings.database_url)
        return
    server = EmbeddedServer(settings.home)
    print(server.url)
    if not server.running:
        print(f"note: the server is not running; start it with: {command(settings, 'up')}", file=sys.stderr)
