"""`thanopg down`: stops what `thanopg up` started, whatever is left of it."""

from __future__ import annotations

import sys

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Example:
  thanopg down
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(down)


@with_settings("home", "verbose")
def down(settings: Settings) -> None:
    """Stop server, service and worker of a home. Nothing is lost; stopping what is stopped is fine."""
    from thanopg.cli.stack.stop import stop_home

    stopped = stop_home(settings.home)
    print(f"stopped {settings.home}" if stopped else f"nothing was running on {settings.home}", file=sys.stderr)
