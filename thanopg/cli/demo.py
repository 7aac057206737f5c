"""`thanopg demo`: the whole thing at work, on drawn products, in a home of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg demo
  thanopg demo --pictures 200
  thanopg demo --shop
  thanopg demo --fresh
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(demo)


@with_settings("home", "device", "verbose")
def demo(
    settings: Settings,
    pictures: Annotated[int, typer.Option(min=1, max=100_000, help="How many products to draw.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same products.")] = 7,
    model: Annotated[str, typer.Option(help="Base or source of the model.")] = "catalog",
    shop: Annotated[
        bool, typer.Option("--shop", help="Captions, their vectors and keywords too, searched all together.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace an earlier demo even when tables of yours are in it.")
    ] = False,
) -> None:
    """Draw a shop's catalogue, embed it, and search it in Korean and in English.

    Everything happens in the folder demo of the home; an earlier demo there is replaced, unless it holds tables of
    yours. Nothing else is touched.
    Server, service and worker are stopped at the end; the data stays, to be looked at.
    """
    from thanopg.cli.showcase.run import run_demo

    run_demo(settings, pictures=pictures, seed=seed, model=model, fresh=fresh, shop=shop)
