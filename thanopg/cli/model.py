"""`thanopg model add|list|drop`: the models that a database knows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg model list
  thanopg model add siglip2
  thanopg model add ours --source local-dir:/srv/models/ours
"""
ADD_EPILOG = """\b
Examples:
  thanopg model add siglip2                                    a base by its name, about a hundred languages
  thanopg model add tutorial_search_clip --base clipen
  thanopg model add ours --source hf-hub:timm/ViT-B-16-SigLIP2
  thanopg model add florence2                                  a captioner
  thanopg model add e5                                         a text encoder
"""
DROP_EPILOG = """\b
Example:
  thanopg model drop ours
"""
LIST_EPILOG = """\b
Examples:
  thanopg model list
  thanopg model list --json
"""
LIST = """
    SELECT name, base, source, architecture, dimensions, context_length, fingerprint, can_caption,
           can_embed_texts, can_embed_images, languages
    FROM thanopg.model ORDER BY name
"""


def make_app() -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, epilog=EPILOG)
    app.callback()(describe)
    app.command("add", epilog=ADD_EPILOG)(add)
    app.command("list", epilog=LIST_EPILOG)(list_models)
    app.command("drop", epilog=DROP_EPILOG)(drop)
    return app


def describe() -> None:
    """Register models, list them, forget them."""


@with_settings("home", "database_url", "verbose")
def add(
    settings: Settings,
    name: Annotated[str, typer.Argument(help="What SQL will call it.")],
    base: Annotated[str | None, typer.Option(help="A base that `model list` names; default: the name.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Its weights: architecture/weights, or hf-hub:, local-dir:, transformers:, sentence-transformers:."
        ),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also when the name is taken.")] = False,
) -> None:
    """Register a model; the service loads it, and downloads weights that it has not got yet."""
    from thanopg.errors import InvalidArgument, UnknownModel
    from thanopg.models.bases import resolve_source

    try:
        resolve_source(source or base or name)  # says what is wrong with it before anything is asked
    except UnknownModel:
        if source is None and base is None and is_registered(settings, name):
            raise InvalidArgument(
                f"model '{name}' exists",
                hint="choose another name; or give it another base or source: --replace --base … or --source …",
            ) from None
        raise
    with connection_of(settings) as connection:
        connection.execute("SELECT thanopg.create_model(%s, %s, %s, %s)", [name, base, source, replace])
        connection.commit()
    print(name)


@with_settings("home", "database_url", "verbose")
def list_models(
    settings: Settings,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array, for programs.")] = False,
) -> None:
    """List the registered models, and the bases that there are."""
    import json

    from thanopg.cli.screen import Screen
    from thanopg.models.bases import BASES

    with connection_of(settings) as connection:
        cursor = connection.execute(LIST)
        names, rows = [column.name for column in cursor.description], cursor.fetchall()
    screen = Screen()
    if as_json:
        models = [dict(zip(names, row, strict=True)) for row in rows]
        screen.data(json.dumps(models, ensure_ascii=False, indent=2))
        return
    screen.table(("model", "base", "source", "dimensions", "fingerprint"), [(*r[:3], r[4], r[6][:12]) for r in rows])
    screen.say("\nbases, for: thanopg model add")
    for base in BASES.values():
        screen.say(f"  {base.name:<10}{base.description}")


@with_settings("home", "database_url", "verbose")
def drop(settings: Settings, name: Annotated[str, typer.Argument(help="A registered model.")]) -> None:
    """Forget a model that no embedding column uses."""
    with connection_of(settings) as connection:
        connection.execute("SELECT thanopg.drop_model(%s)", [name])
        connection.commit()


def is_registered(settings: Settings, name: str) -> bool:
    """False also where nothing can be asked."""
    import psycopg

    from thanopg.errors import ThanopgError

    try:
        with connection_of(settings) as connection:
            found = connection.execute("SELECT FROM thanopg.model WHERE name = %s", [name]).fetchone()
            return found is not None
    except (ThanopgError, psycopg.Error):
        return False


def connection_of(settings: Settings) -> Any:
    """A connection, with NOTICEs of the service shown."""
    import sys

    from thanopg.cli.target import database_url
    from thanopg.database.connect import connect

    connection = connect(database_url(settings), application_name="thanopg model")
    connection.add_notice_handler(
        lambda diag: print(f"{(diag.severity or 'notice').lower()}: {diag.message_primary}", file=sys.stderr)
    )
    return connection
