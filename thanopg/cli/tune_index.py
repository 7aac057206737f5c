"""`thanopg tune-index`: how hard a vector index has to look to find what an exact search finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

if TYPE_CHECKING:
    from thanopg.cli.recall import Tuning
    from thanopg.database.connect import Connection

EPILOG = """\b
Examples:
  thanopg tune-index photo
  thanopg tune-index photo --queries 200 --recall 0.999
  thanopg tune-index photo --json | jq .proposed
"""
COLUMNS = """
    SELECT c.id, c.column_name, thanopg.index_state(c.target, c.column_name) FROM thanopg.embedding_column c
    WHERE c.target = to_regclass(%s) AND c.kind <> 'caption' AND (%s::text IS NULL OR c.column_name = %s) ORDER BY c.id
"""


def register(app: typer.Typer) -> None:
    app.command("tune-index", epilog=EPILOG)(tune_index)


@with_settings("home", "database_url", "verbose")
def tune_index(
    settings: Settings,
    table: Annotated[str, typer.Argument(help="Its vector index is measured.")],
    column: Annotated[str | None, typer.Option(help="Which vector column, where there are several.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many rows a search asks for.")] = 10,
    queries: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows are searched for.")] = 50,
    recall: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The share of the nearest rows that is wanted.")
    ] = 0.99,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Measure the recall of a table's vector index against exact search, and propose hnsw.ef_search.

    Rows of the table are what is searched for. Nothing is changed.
    """
    import json

    from thanopg.cli.progress import Bar
    from thanopg.cli.recall import measure, sample_vectors, searches
    from thanopg.cli.screen import Screen
    from thanopg.cli.target import database_url
    from thanopg.database.connect import connect
    from thanopg.errors import InvalidArgument

    screen = Screen()
    with connect(database_url(settings), application_name="thanopg tune-index", autocommit=True) as connection:
        embedding, name = find(connection, table, column)
        vectors = sample_vectors(connection, embedding, queries)
        if not vectors:
            raise InvalidArgument(f"no row of {table} has a vector in {name} yet", hint="see: thanopg status")
        with Bar(screen, f"searching {table}", total=searches(len(vectors), k=k), unit="searches") as bar:
            tuning = measure(connection, embedding, vectors, k=k, tell=bar.set)
        ((database,),) = connection.execute("SELECT quote_ident(current_database())").fetchall()
    proposed = tuning.proposed(recall)
    if as_json:
        report = {
            **{"table": table, "column": name, "k": k, "queries": tuning.queries},
            "efforts": [vars(effort) for effort in tuning.efforts],
            "proposed": proposed.ef_search,
            "reached": proposed.recall >= recall,
        }
        screen.data(json.dumps(report, ensure_ascii=False, indent=2))
        return
    screen.table(("ef_search", f"recall@{k}", "median ms", ""), rows_of(tuning, proposed.ef_search))
    if proposed.recall < recall:
        screen.warn(f"no ef_search finds {recall:.1%}; exact search does: options => '{{\"exact\": true}}'")
    screen.say(
        f"for one search: options => '{{\"ef_search\": {proposed.ef_search}}}'; "
        f"for all: ALTER DATABASE {database} SET hnsw.ef_search = {proposed.ef_search}"
    )


def find(connection: Connection, table: str, column: str | None) -> tuple[int, str]:
    """Number and name of the vector column that is meant. Raises InvalidArgument."""
    from thanopg.errors import InvalidArgument

    if connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
        raise InvalidArgument(f"no table {table!r}", hint='write it as SQL does: schema.table, or "Weird name"')
    fitting = connection.execute(COLUMNS, (table, column, column)).fetchall()
    if not fitting:
        named = f" named {column!r}" if column is not None else ""
        raise InvalidArgument(f"table {table!r} has no embedding column of vectors{named}", hint="see: thanopg status")
    if len(fitting) > 1:
        names = ", ".join(name for _, name, _ in fitting)
        raise InvalidArgument(f"table {table!r} has several: {names}", hint=f"name one: --column {fitting[0][1]}")
    ((embedding, name, state),) = fitting
    if state != "ready":
        raise InvalidArgument(f"column {name} of {table} has no index", hint=f"build one: thanopg index {table}")
    return int(embedding), str(name)


def rows_of(tuning: Tuning, proposed: int) -> list[tuple[int, str, str, str]]:
    return [
        (e.ef_search, f"{e.recall:.3f}", f"{e.median_ms:.2f}", "proposed" if e.ef_search == proposed else "")
        for e in tuning.efforts
    ]
