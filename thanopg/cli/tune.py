"""`thanopg tune`: the weights of hybrid search that do best on one half of judged queries, tried on the other."""

from __future__ import annotations

from typing import Annotated

import typer

from thanopg.cli.evaluate import Catalog, Column, Models, Queries, Sample, Seed, Target
from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg tune --catalog
  thanopg tune queries.csv --target product --fusion score

What it prints last can be used as it is: options => '{"method": "hybrid", …}'.
"""


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(tune)


@with_settings("home", "database_url", "image_root", "device", "verbose")
def tune(
    settings: Settings,
    queries: Queries = None,
    target: Target = None,
    models: Models = None,
    column: Column = None,
    fusion: Annotated[str | None, typer.Option(help="Only rrf, or only score.")] = None,
    catalog: Catalog = False,
    sample: Sample = None,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Choose fusion and weights on one half of the queries, and report what they do on the other half.

    Weights are tried in the database itself, one changed at a time, until none does better.
    """
    from thanopg.cli.relevance.tuner import run_tuning

    run_tuning(
        settings,
        queries=queries,
        target=target,
        models=tuple(models or ()),
        column=column,
        fusion=fusion,
        catalog=catalog,
        sample=sample,
        seed=seed,
        as_json=as_json,
    )
