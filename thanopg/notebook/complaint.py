"""Errors as people see them in a notebook: one line, the place underlined, a hint; no traceback.

The error is still raised, so that "run all" stops and `try` works; IPython asks it what to show.
"""

from __future__ import annotations

from collections.abc import Callable

from thanopg.errors import ThanopgError, explain

RED, PLAIN = "\x1b[31m", "\x1b[0m"


def without_traceback(error: BaseException, *, colour: bool = True) -> BaseException:
    """The same error, which IPython will show as `explain` words it."""
    lines = explain(error) if isinstance(error, ThanopgError) else ["interrupted"]
    if colour:
        head, colon, rest = lines[0].partition(":")
        lines[0] = f"{RED}{head}{colon}{PLAIN}{rest}"
    show: Callable[[], list[str]] = lambda: lines  # noqa: E731  (its type is what IPython calls)
    vars(error)["_render_traceback_"] = show
    return error
