"""`thanopg`: one verb per module. This one puts them together and turns every error into one line and a hint."""

from __future__ import annotations

import logging
import os
import sys

import typer

from thanopg.cli import (
    bench,
    demo,
    down,
    evaluate,
    index,
    install,
    model,
    options,
    psql,
    serve,
    sql,
    status,
    tune,
    tune_index,
    up,
    url,
    worker,
)
from thanopg.cli.failure import INTERRUPTED, report

EPILOG = """\b
Examples:
  thanopg demo                     see it work, with 1,000 drawn products
  thanopg up --detach              keep server, service and worker running
  thanopg psql                     type SQL; for example, at its prompt:
      SELECT rank, image FROM search_image('a red dress', 'catalog');
"""


def make_app() -> typer.Typer:
    app = typer.Typer(
        name="thanopg",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        epilog=EPILOG,
    )
    app.callback()(options.shared)
    for module in (
        demo,
        up,
        down,
        url,
        psql,
        sql,
        status,
        install,
        serve,
        worker,
        index,
        tune_index,
        evaluate,
        tune,
        bench,
    ):
        module.register(app)
    app.add_typer(model.make_app(), name="model")
    return app


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0, 1 for a failure, 2 for a misuse, 130 when interrupted."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    context: dict[str, object] = {}
    try:
        code = make_app()(arguments, standalone_mode=False, obj=context, prog_name="thanopg")
        sys.stdout.flush()
        if code == INTERRUPTED:
            print("interrupted", file=sys.stderr)
        return code if isinstance(code, int) else 0
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return report(error, verbosity=int(str(context.get("verbose", 0))))
