"""Where judged queries are asked: a table of the named database, or the shop of the demo's home, started for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from thanopg.catalog.judged import JUDGED_NAME
from thanopg.cli.screen import Screen
from thanopg.cli.showcase.place import place_of
from thanopg.cli.stack.interrupt import interruptible
from thanopg.cli.stack.stack import Stack, StackOptions
from thanopg.cli.stack.state import hold
from thanopg.cli.target import command, database_url
from thanopg.config import Settings
from thanopg.database.connect import Connection, connect
from thanopg.database.server import EmbeddedServer
from thanopg.errors import InvalidArgument
from thanopg.relevance.judgements import Judgement, read_csv, read_table
from thanopg.relevance.measure import Bench

TABLE, MODEL = "product", "catalog"
"""of the demo's shop"""
ONLY = """
    SELECT target::text, array_agg(DISTINCT model ORDER BY model) FROM thanopg.embedding_column WHERE kind <> 'caption'
      AND (%(target)s::text IS NULL OR target = %(target)s::regclass) GROUP BY target ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Source:
    url: str
    image_root: Path
    queries: str
    """a csv's path, or a table"""
    target: str | None
    models: tuple[str, ...]


@contextmanager
def source_of(
    settings: Settings,
    screen: Screen,
    *,
    catalog: bool,
    queries: str | None,
    target: str | None,
    models: tuple[str, ...],
) -> Iterator[Source]:
    """Raises InvalidArgument, DatabaseUnavailable and what starting the demo's stack raises."""
    if not catalog:
        if queries is None:
            raise InvalidArgument(
                "which queries?", hint="name a csv or a table with the columns query and relevant; or use --catalog"
            )
        yield Source(
            url=database_url(settings), image_root=settings.image_root, queries=queries, target=target, models=models
        )
        return
    home = place_of(settings.home)
    root = home / "catalogue"
    if not (root / JUDGED_NAME).is_file():
        raise InvalidArgument(f"there is no shop in {home}", hint=f"make one with: {command(settings, 'demo --shop')}")
    server = EmbeddedServer(home)
    source = Source(
        url="",
        image_root=root,
        queries=queries or str(root / JUDGED_NAME),
        target=target or TABLE,
        models=models or (MODEL,),
    )
    if server.running:
        yield replace(source, url=server.url)
        return
    stack = Stack(
        replace(settings, home=home, image_root=root, database_url=None),
        say=screen.say,
        options=StackOptions(workers=0),
    )
    with interruptible(), hold(home):
        try:
            with screen.step("starting the shop"):
                stack.start_server()
                stack.start_children()
            yield replace(source, url=stack.server.url)
        finally:
            stack.stop()


def read_queries(connection: Connection, source: Source, bench: Bench, *, sample: int | None) -> list[Judgement]:
    """Evenly spread over the file, if not all. Raises InvalidArgument, OSError."""
    path = Path(source.queries)
    if path.is_file() or path.suffix == ".csv":
        judgements = read_csv(path, bench.key_names)
    else:
        judgements = read_table(connection, source.queries, bench.key_names)
    if sample is None or sample >= len(judgements):
        return judgements
    return [judgements[place * len(judgements) // sample] for place in range(sample)]


def open_source(source: Source, verb: str) -> Connection:
    return connect(source.url, application_name=f"thanopg {verb}", autocommit=True)


def benches(connection: Connection, source: Source, column: str | None) -> list[Bench]:
    """One for every model that is asked for, or that the table has. Raises InvalidArgument."""
    tables = connection.execute(ONLY, {"target": source.target}).fetchall()
    if len(tables) != 1:
        known = ", ".join(str(table) for table, _ in tables)
        raise InvalidArgument(
            "no table can be searched" if not tables else f"more than one table can be searched: {known}",
            hint="add vectors with: SELECT add_image_embedding('your_table', 'image_column', 'model')"
            if not tables
            else "name one: --target",
        )
    target, found = tables[0]
    return [Bench(connection, target=target, model=model, column=column) for model in source.models or found]
