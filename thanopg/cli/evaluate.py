"""`thanopg evaluate`: how well each method finds what is relevant, by queries whose answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg evaluate --catalog                                 the shop of: thanopg demo --shop
  thanopg evaluate queries.csv --target product
  thanopg evaluate judged --target product --method image --method hybrid --html report.html

The queries are a csv or a table with the columns query and relevant: the keys of all rows that answer it, as a JSON
array, or with spaces between them. A column language splits the figures.
"""

Queries = Annotated[str | None, typer.Argument(help="A csv, or a table of the database.")]
Target = Annotated[str | None, typer.Option(metavar="TABLE", help="The table that is searched.")]
Models = Annotated[list[str] | None, typer.Option("--model", help="Only this one; may be given more than once.")]
Column = Annotated[str | None, typer.Option(help="The embedding column, where a model has more than one.")]
Catalog = Annotated[bool, typer.Option("--catalog", help="The shop that thanopg demo --shop has made.")]
Sample = Annotated[int | None, typer.Option(min=1, help="Only so many of the queries.")]
Seed = Annotated[int, typer.Option(help="Of the chance in intervals and halves.")]


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(evaluate)


@with_settings("home", "database_url", "image_root", "device", "verbose")
def evaluate(
    settings: Settings,
    queries: Queries = None,
    target: Target = None,
    models: Models = None,
    column: Column = None,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", help="image, caption, keyword, hybrid; default: all that can be used."),
    ] = None,
    options: Annotated[str, typer.Option(metavar="JSON", help="Further options of the searches.")] = "{}",
    k: Annotated[int, typer.Option("-k", min=10, max=1000, help="Rows asked for; Recall is at this number.")] = 10,
    catalog: Catalog = False,
    sample: Sample = None,
    seed: Seed = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a report, with the worst queries' pictures.")
    ] = None,
    worst: Annotated[int, typer.Option(min=0, max=100, help="How many of the worst the report shows.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Measure Recall, nDCG@10, MRR and latency of every method, model and language.

    Latency is that of the search alone: the service has the query's vectors by then.
    Hybrid search is compared with the best single method, query by query. Intervals are bootstrapped over the queries.
    """
    from thanopg.cli.relevance.evaluation import Wanted, run_evaluation

    wanted = Wanted(
        queries=queries,
        target=target,
        models=tuple(models or ()),
        column=column,
        methods=tuple(methods or ()),
        options=options,
        k=k,
        catalog=catalog,
        sample=sample,
        seed=seed,
        html=html,
        worst=worst,
        as_json=as_json,
    )
    run_evaluation(settings, wanted)
