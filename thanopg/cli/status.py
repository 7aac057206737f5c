"""`thanopg status`: what runs, how far every embedding column is, and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

if TYPE_CHECKING:
    from thanopg.cli.health import Report
    from thanopg.cli.screen import Screen

EPILOG = """\b
Examples:
  thanopg status
  thanopg status --watch 2
  thanopg status --json | jq '.embeddings[].pending'
"""

MOST_COUNTED = 20_000
"""as sql/79_count.sql has it"""
EMBEDDING_NAMES = (
    *("table", "column", "made from", "rows", "embedded", "pending", "failed", "rows/s", "time left", "index"),
)


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(status)


@with_settings("home", "database_url", "verbose")
def status(
    settings: Settings,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    watch: Annotated[
        float | None, typer.Option(min=0.2, metavar="SECONDS", help="Again and again, until Ctrl-C.")
    ] = None,
) -> None:
    """Show server, service, workers, models, coverage, pending rows and failures.

    Exits 1 when the database can't be reached or nothing is installed in it.
    """
    import json
    import time

    from thanopg.cli.screen import Screen

    screen = Screen()
    while True:
        report = gather(settings)
        if watch is not None and screen.out.is_terminal and not as_json:
            screen.out.clear()
        if as_json:
            screen.data(json.dumps(report, ensure_ascii=False, default=str, indent=None if watch else 2))
        else:
            show(screen, report)
        if watch is None:
            break
        time.sleep(watch)
    if not report["database"].get("installed"):
        raise typer.Exit(1)


def gather(settings: Settings) -> Report:
    from thanopg.cli.health import examine, stack_of, unreachable
    from thanopg.cli.target import database_url
    from thanopg.errors import ThanopgError

    stack = stack_of(settings)
    try:
        report = examine(database_url(settings))
    except ThanopgError as error:
        report = unreachable(error)
    return {**({"stack": stack} if stack else {}), **report}


def show(screen: Screen, report: Report) -> None:
    stack, database = report.get("stack"), report["database"]
    if stack is not None:
        running = f"running (process {stack['pid']})" if stack["running"] else "not running"
        line(screen, "home", f"{stack['home']}, {running}")
        if stack["image_root"]:
            line(screen, "images", f"below {stack['image_root']}")
    if not database["reachable"]:
        line(screen, "database", database["error"], database["hint"])
        return
    line(
        screen, "database", f"{database['database']}, PostgreSQL {database['version']}, pgvector {database['pgvector']}"
    )
    if not database["installed"]:
        line(screen, "thanopg", "not installed", "install it with: thanopg install")
        return
    if not database["short_names"]:
        line(screen, "search_path", "thanopg is not on it", "run: thanopg install; or write thanopg. before the names")
    service = report["service"]
    if service["reachable"]:
        line(screen, "service", f"answers in {service['milliseconds']} ms")
    else:
        reason = ": ".join(filter(None, [service["error"], service["detail"]]))
        line(screen, "service", reason, service["hint"])
    line(screen, "workers", report["workers"], "" if report["workers"] else "start one with: thanopg worker")
    tables(screen, report)


def tables(screen: Screen, report: Report) -> None:
    if report["models"]:
        screen.data("")
        screen.table(("model", "base", "source", "dimensions", "health"), [model_row(m) for m in report["models"]])
    if report["embeddings"]:
        screen.data("")
        screen.table(EMBEDDING_NAMES, [embedding_row(e) for e in report["embeddings"]])
    else:
        line(screen, "embeddings", "none", "SELECT add_image_embedding('your_table', 'image_column', 'model')")
    if report["failures"]:
        screen.data("")
        # a row that will be tried again is pending above, and keeps the vector that it has
        fields = ("table", "column", "error", "tried_again", "set_aside", "example")
        names = [field.replace("_", " ") for field in fields]
        screen.table(names, [tuple(failure[field] for field in fields) for failure in report["failures"]])
        screen.data("which rows: SELECT * FROM failure;   again: SELECT retry();")


def model_row(m: Report) -> tuple[Any, ...]:
    return (m["name"], m["base"], m["source"], m["dimensions"], m["health"] or ("unknown" if m["used"] else "unused"))


def embedding_row(e: Report) -> tuple[Any, ...]:
    left = e["seconds_left"]
    counts = tuple(about(e[name]) if e["estimated"] else e[name] for name in ("rows", "embedded", "pending", "failed"))
    rate = e["rate"] if e["rate"] else None
    time_left = duration(left) if e["pending"] and left else None
    return (e["table"], e["column"], e["source"], *counts, rate, time_left, e["index"])


def about(count: int | None) -> int | None:
    """A count of a large table is an estimate, and looks like one; small ones in its row were counted."""
    from thanopg.cli.screen import About

    return count if count is None or count <= MOST_COUNTED else About(count)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def line(screen: Screen, name: str, value: Any, hint: str = "") -> None:
    screen.data(f"{name:<12}{value}" + (f"\n{'':<12}{hint}" if hint else ""))
