"""`thanopg bench`: what to expect of this machine with a model, before anything is embedded."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from thanopg.cli.options import EngineOption, given_image_root, with_settings
from thanopg.config import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from thanopg.bench.report import Model, Report
    from thanopg.cli.screen import Screen

EPILOG = """\b
Examples:
  thanopg bench
  thanopg bench siglip2 --pictures ~/Pictures
  thanopg bench hf-hub:organisation/name --device cuda:1 --json | jq .forward.images_per_second
"""
AMOUNTS = (10_000, 1_000_000)
REGISTERED = "SELECT source FROM thanopg.model WHERE name = %s"


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(bench)


@with_settings("home", "database_url", "image_root", "device", "verbose")
def bench(
    settings: Settings,
    context: typer.Context,
    model: Annotated[
        str | None,
        typer.Argument(help="A registered model, a base or a source; default: the one in the box."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Pictures of yours; default: the image root where one is named, else made up."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="As the worker's.")] = 64,
    decoders: Annotated[
        int | None, typer.Option(min=1, max=256, help="As the worker's; default: one per core.")
    ] = None,
    engine: EngineOption = "auto",
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="About how long to measure.")] = 20.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Measure how fast this machine decodes, embeds and writes pictures, and embeds texts. Takes up to a minute.

    Nothing is changed: what is written for a measurement is rolled back.
    """
    import json

    from thanopg.bench.kept import keep
    from thanopg.bench.measure import Wanted, measure, steps
    from thanopg.cli.progress import Bar
    from thanopg.cli.screen import Screen
    from thanopg.images.processors import processors
    from thanopg.models.library import LoadedModel
    from thanopg.models.load import load_embedder

    screen = Screen()
    url = reachable_url(settings)
    source = source_of(model, url)
    own = pictures.expanduser() if pictures is not None else given_image_root(context)
    with screen.step(f"loading {source}, and trying what runs it best"):
        loaded = LoadedModel(load_embedder(source, device=settings.device, engine=engine))
    wanted = Wanted(
        batch=batch_size,
        decoders=decoders or processors(),
        seconds=seconds,
        pictures=own.expanduser().absolute() if own is not None else None,
        limits=settings.limits,
        url=url,
    )
    done = 0
    with Bar(screen, "measuring", total=100, unit="%") as bar:

        def tell(what: str) -> None:
            nonlocal done
            bar.set(100 * done // steps(wanted), note=what)
            done += 1

        report = measure(loaded, wanted, tell)
    keep(report)
    if as_json:
        screen.data(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        show(screen, report, model)


def reachable_url(settings: Settings) -> str | None:
    """None without a database; one that is named and can't be reached is an error, and so is its password."""
    from thanopg.cli.target import database_url
    from thanopg.database.connect import connect
    from thanopg.errors import DatabaseUnavailable

    try:
        url = database_url(settings)
    except DatabaseUnavailable:
        return None
    connect(url, application_name="thanopg bench").close()
    return url


def source_of(model: str | None, url: str | None) -> str:
    """Raises UnknownModel, InvalidArgument."""
    import psycopg

    from thanopg.database.connect import connect
    from thanopg.errors import UnknownModel
    from thanopg.models.bases import BUNDLED, resolve_source

    if model is None:
        return BUNDLED
    if url is not None:
        with connect(url, application_name="thanopg bench", autocommit=True) as connection:
            try:
                found = connection.execute(REGISTERED, (model,)).fetchone()
            except psycopg.errors.UndefinedTable:  # nothing is installed there
                found = None
            if found is not None:
                return str(found[0])
    try:
        return resolve_source(model)
    except UnknownModel as error:
        if url is None:
            raise UnknownModel(f"{error.message}, and no database to look it up in", hint=error.hint) from error
        hint = f"registered ones: thanopg model list; {error.hint}"
        raise UnknownModel(f"{error.message}, and no model of that name is registered", hint=hint) from error


def show(screen: Screen, report: Report, name: str | None) -> None:
    from thanopg.bench.expected import in_words

    model = report.model
    called = model.source if name in (None, model.source) else f"{name} ({model.source})"
    screen.heading(f"{called} on {model.device}, {report.processors} processors: {model.engine}, {model.precision}")
    if report.pictures:
        screen.data("")
        screen.table(
            (
                *("pictures", "KB", "decoding, CPU ms", "with --exact", "images/s"),
                *(f"{amount:,} take" for amount in AMOUNTS),
            ),
            [
                (
                    *(each.label, round(each.kilobytes), tenths(each.decode_ms), tenths(each.decode_exact_ms)),
                    *(tenths(each.images_per_second), *(in_words(each.seconds_for(n)) for n in AMOUNTS)),
                )
                for each in report.pictures
            ],
        )
        screen.say(f"images/s: to be expected of one worker with {report.decoders} decoding processes")
    if report.unusable:
        faults = ", ".join(f"{count} {fault}" for fault, count in sorted(report.unusable.items()))
        screen.warn(f"{sum(report.unusable.values())} of the pictures looked at can't be used: {faults}")
    screen.data("")
    screen.table(("the parts", "", "how"), list(parts(report)))
    if model.tried:
        screen.data("")
        screen.table(
            ("tried", "engine", "precision", "least cosine", "sample, ms", ""),
            [
                (
                    *(each["what"], each["engine"], each["precision"]),
                    *(f"{each['cosine']:.6f}", f"{1000 * each['seconds']:.1f}", was_chosen(model, each)),
                )
                for each in model.tried
            ],
        )


def was_chosen(model: Model, tried: Mapping[str, Any]) -> str:
    taken = (model.text_engine, "fp32") if tried["what"] == "texts" else (model.engine, model.precision)
    return "chosen" if taken == (tried["engine"], tried["precision"]) else ""


def tenths(number: float) -> Decimal:
    return Decimal(f"{number:.1f}" if number < 100 else f"{number:.0f}")


def parts(report: Report) -> list[tuple[str, str, str]]:
    from thanopg.bench.expected import rate_in_words

    rows = list[tuple[str, str, str]]()
    if report.forward is not None:
        rate = rate_in_words(report.forward.images_per_second)
        rows.append((f"{report.forward.what} of pictures", f"{rate} images/s", f"in batches of {report.forward.batch}"))
    if report.texts is not None:
        rate = rate_in_words(report.texts.texts_per_second)
        rows.append(("vectors of texts", f"{rate} texts/s", f"in batches of {report.texts.batch}"))
        rows.append(
            ("vector of one text", f"{report.texts.one_ms:.1f} ms", "a search waits for it, once for each text")
        )
    if report.writing is not None:
        rows.append(("writing", f"{report.writing.row_ms:.2f} ms a row", "claim, read and write, without an index"))
    else:
        rows.append(("writing", "not measured", report.not_written))
    return rows
