"""The options that verbs share, declared once; they may stand before or behind the verb."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from thanopg import __version__
from thanopg.cli.secret import with_password
from thanopg.config import Settings

Verb = Callable[..., None]
EngineOption = Annotated[
    Literal["auto", "torch", "openvino"],
    typer.Option("--engine", help="What runs models on a CPU; auto takes the quicker one that is installed."),
]
NAMES = ("home", "database_url", "image_root", "device", "verbose")


def show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit()


def shared(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option("--home", metavar="DIR", help="Home of the embedded server.  [env: THANOPG_HOME]"),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url", metavar="URL", help="Another PostgreSQL with pgvector.  [env: THANOPG_DATABASE_URL]"
        ),
    ] = None,
    image_root: Annotated[
        Path | None,
        typer.Option(
            "--image-root",
            metavar="DIR",
            help="Image paths are below it; default: the current directory.  [env: THANOPG_IMAGE_ROOT]",
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device", metavar="NAME", help="cuda, cuda:1, mps or cpu; default: the best.  [env: THANOPG_DEVICE]"
        ),
    ] = None,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Say more; with an error, show where it arose.")
    ] = 0,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Text-to-image search inside PostgreSQL."""
    remember(context, home=home, database_url=database_url, image_root=image_root, device=device, verbose=verbose)


def with_settings(*names: str) -> Callable[[Verb], Verb]:
    """The verb takes the shared options `names` and -v as well, and gets them all as its first argument `settings`."""
    for name in names:
        assert name in NAMES, name

    def decorate(verb: Verb) -> Verb:
        wanted = inspect.signature(shared, eval_str=True).parameters
        own = inspect.signature(verb, eval_str=True).parameters
        parameters = [
            wanted["context"],
            *(parameter for name, parameter in own.items() if name not in ("settings", "context")),
            *(wanted[name] for name in NAMES if name in names),
        ]

        def command(context: typer.Context, **values: Any) -> None:
            remember(context, **{name: values.pop(name) for name in names})
            if "context" in own:
                values["context"] = context
            verb(settings_of(context), **values)

        keyword = inspect.Parameter.KEYWORD_ONLY
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect looks for
            [parameters[0], *(parameter.replace(kind=keyword) for parameter in parameters[1:])]
        )
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        command.__name__ = verb.__name__
        command.__doc__ = verb.__doc__
        return command

    return decorate


def remember(context: typer.Context, **given: Any) -> None:
    """What is said behind the verb wins over what is said before it."""
    known = context.find_root().ensure_object(dict)
    known.update({name: value for name, value in given.items() if value})
    level = {0: logging.WARNING, 1: logging.INFO}.get(known.get("verbose", 0), logging.DEBUG)
    logging.getLogger("thanopg").setLevel(level)


def settings_of(context: typer.Context) -> Settings:
    """Raises InvalidArgument, OSError."""
    known = context.find_root().ensure_object(dict)
    settings = Settings.from_environment(**{name: value for name, value in known.items() if name != "verbose"})
    return replace(settings, database_url=with_password(settings.database_url))


def given_image_root(context: typer.Context, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The one that the caller names; None when it would be the default."""
    given = context.find_root().ensure_object(dict).get("image_root") or environ.get("THANOPG_IMAGE_ROOT")
    return Path(given) if given else None


def verbosity(context: typer.Context) -> int:
    return int(context.find_root().ensure_object(dict).get("verbose", 0))
