"""The demo's course: catalogue, stack, table, vectors, searches, page, farewell."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psycopg

from thanopg.catalog.catalogue import write_catalogue
from thanopg.catalog.judged import JUDGED_NAME, judged_queries, write_judged
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES
from thanopg.cli.progress import Bar
from thanopg.cli.screen import Screen
from thanopg.cli.showcase.filling import fill
from thanopg.cli.showcase.gallery import write_gallery
from thanopg.cli.showcase.place import claim, empty, finish, place_of, refuse_if_used
from thanopg.cli.showcase.shop import Found, Shop
from thanopg.cli.showcase.steps import show_steps
from thanopg.cli.stack.home import server_ended
from thanopg.cli.stack.interrupt import interruptible
from thanopg.cli.stack.stack import Stack, StackOptions
from thanopg.cli.stack.state import hold
from thanopg.cli.target import command
from thanopg.config import Settings
from thanopg.database.connect import connect

DRAWING_PROCESSES = 2
PAGE = "searches.html"
JUDGED, JUDGED_SEED = 400, 5
"""queries for thanopg evaluate --catalog"""


def run_demo(
    settings: Settings, *, pictures: int, seed: int, model: str, fresh: bool = False, shop: bool = False
) -> None:
    """Raises what any of its steps raises, after everything that it started has been stopped.

    `shop`: the five steps of captions, their vectors and all methods together, instead of pictures alone.
    """
    screen = Screen()
    began = time.monotonic()
    home = place_of(settings.home)
    settings = replace(settings, home=home, image_root=home / "catalogue", database_url=None)
    claim(home)
    with interruptible(), hold(home):
        if not fresh:
            with screen.step("looking whether the earlier demo's home holds anything of yours"):
                refuse_if_used(home)
        make_room(screen, home)
        products = draw(screen, settings.image_root, pictures, seed)
        stack = Stack(settings, say=screen.say, options=StackOptions(preload=(model,)))
        try:
            with screen.step("starting PostgreSQL"):
                report = stack.start_server()
            finish(home)
            screen.done("PostgreSQL is running, thanopg installed in it")
            for warning in report.warnings:
                screen.warn(warning)
            with screen.step("starting service and worker"):
                stack.start_children()
            screen.done("service and worker are running")
            page = show(screen, settings, stack.server.url, products, model, shop)
        except psycopg.OperationalError as error:
            if error.sqlstate is None:
                raise server_ended(home) from error
            raise
        finally:
            with screen.step("stopping"):
                stack.stop()
    screen.done(f"stopped everything, after {time.monotonic() - began:.0f} s")
    farewell(screen, settings, page)
    if shop:
        screen.say("How well each method finds:")
        screen.say(f"  {command(settings, 'evaluate --catalog')}")


def make_room(screen: Screen, home: Path) -> None:
    try:
        with screen.step("making room"):
            empty(home)
    except KeyboardInterrupt:
        screen.warn("the earlier demo is only partly removed; the next thanopg demo goes on with that")
        raise


def draw(screen: Screen, directory: Path, pictures: int, seed: int) -> Sequence[Product]:
    with Bar(screen, "drawing the catalogue", total=pictures, unit="pictures") as bar:
        return write_catalogue(directory, pictures, seed, processes=DRAWING_PROCESSES, progress=bar.set)


def show(
    screen: Screen, settings: Settings, url: str, products: Sequence[Product], model: str, with_captions: bool
) -> Path:
    with connect(url, application_name="thanopg demo", autocommit=True) as connection:
        name = "catalog"
        if connection.execute("SELECT FROM thanopg.model WHERE name = 'catalog'").fetchone() is None or model != name:
            name = model if model in ("catalog",) else "demo"
            source = None if model == name else model
            connection.execute("SELECT create_model(%s, source => %s)", [name, source])
        shop = Shop(connection, name)
        shop.load(products)
        screen.done(f"COPY product: {len(products):,} rows")
        embed(screen, shop)
        if with_captions:
            write_judged(settings.image_root / JUDGED_NAME, judged_queries(products, JUDGED, JUDGED_SEED))
            return show_steps(screen, shop, settings.home, settings.image_root)
        found = [(example, search(screen, shop, example.text)) for example in EXAMPLES]
        return write_gallery(settings.home / PAGE, settings.image_root, shop, found)


def embed(screen: Screen, shop: Shop) -> None:
    """Raises ModelUnavailable when not every picture got its vector."""
    fill(screen, shop, "embedding the pictures", shop.embed_statement)


def search(screen: Screen, shop: Shop, query: str) -> Found:
    found = shop.search(query)
    screen.data("")
    screen.statement(found.statement)
    screen.table(found.names, found.rows)
    return found


def farewell(screen: Screen, settings: Settings, page: Path) -> None:
    screen.say("\nThe result pictures, in one page:")
    screen.data(str(page))
    root = shlex.quote(str(settings.image_root))
    screen.say("\nTo go on with this data:")
    screen.say(f"  {command(settings, f'up --detach --image-root {root}')}")
    screen.say(f"  {command(settings, 'psql')}")
    screen.say(f"  {command(settings, 'down')}")
    screen.say("With pictures of your own: thanopg up --detach --image-root DIR, then thanopg psql")
