"""Keeps the libraries under us from talking while a model loads: stdout is data, and an error of ours says it all."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

LOGGERS = ("huggingface_hub", "transformers", "sentence_transformers")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No prints, warnings or log lines of open_clip, transformers and the hub inside. Not for use from two threads."""
    root = logging.getLogger()
    # open_clip logs through the root logger's functions, which would install a handler on stderr if there is none
    handler = logging.NullHandler()
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    root.addHandler(handler)
    root.addFilter(_not_from_open_clip)
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        root.removeFilter(_not_from_open_clip)
        root.removeHandler(handler)


@contextlib.contextmanager
def no_bars() -> Iterator[None]:
    """None of transformers' progress bars inside; they are for people who wait, and here nobody sees them."""
    import transformers

    bars: Any = transformers.utils.logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _not_from_open_clip(record: logging.LogRecord) -> bool:
    return "open_clip" not in record.pathname
