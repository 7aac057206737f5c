"""`thanopg up`: server, service and worker of a home, until Ctrl-C or `thanopg down`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thanopg.cli.options import given_image_root, verbosity, with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg up --detach --image-root ~/Pictures
  thanopg up                                      stays in front; Ctrl-C stops everything
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(up)


@with_settings("home", "image_root", "device", "verbose")
def up(
    settings: Settings,
    context: typer.Context,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when everything is ready.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 1,
    http_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="/metrics and /healthz of the service, on loopback.")
    ] = None,
) -> None:
    """Start server, service and worker, and keep them running.

    When they run already, that is said, the URL printed, and nothing else done.
    """
    from thanopg.cli.stack.detach import start_detached
    from thanopg.cli.stack.foreground import run_in_front, say_where
    from thanopg.cli.stack.stack import StackOptions
    from thanopg.cli.stack.state import is_held
    from thanopg.cli.target import image_root
    from thanopg.errors import InvalidArgument

    if settings.database_url is not None:
        raise InvalidArgument(
            "up runs the embedded server, and a database URL names another one",
            hint="unset THANOPG_DATABASE_URL; or for that database: thanopg install, thanopg serve, thanopg worker",
        )
    image_root(settings)
    if is_held(settings.home):
        same_root(settings, given_image_root(context))
        say_where(settings, already=True)
        return
    options = StackOptions(http_port=http_port, workers=workers, verbose=verbosity(context), detached=detach)
    if detach:
        start_detached(settings, options)
    else:
        run_in_front(settings, options)


def same_root(settings: Settings, wanted: Path | None) -> None:
    """Raises AlreadyRunning when what runs reads the pictures from elsewhere."""
    from thanopg.cli.stack.state import StateFile
    from thanopg.cli.target import command
    from thanopg.errors import AlreadyRunning

    state = StateFile(settings.home).read()
    if wanted is None or state is None or not state.image_root:
        return
    if wanted.expanduser().resolve() != Path(state.image_root).resolve():
        raise AlreadyRunning(
            f"thanopg is already running on {settings.home}, with image root {state.image_root}",
            hint=f"stop it first with: {command(settings, 'down')}",
        )
