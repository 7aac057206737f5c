"""What people see of an error: one line, its detail and hint, in the words that psql shows; -v adds the rest."""

from __future__ import annotations

import errno
import sys
import traceback
from dataclasses import dataclass

from thanopg.errors import ThanopgError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
REPORT = "run it again with -v, and report what it shows"
OS_HINTS = {
    errno.ENOSPC: "free some space on that disk, then try again",
    errno.EDQUOT: "free some space in your quota, then try again",
    errno.EACCES: "look at the owner and the mode of that file",
    errno.EPERM: "look at the owner and the mode of that file",
    errno.EROFS: "that file system is read-only: choose another place",
    errno.ENOMEM: "memory ran out: stop other programs, or work in smaller batches",
}


@dataclass(frozen=True, kw_only=True)
class Failure:
    message: str
    detail: str = ""
    hint: str = ""
    sqlstate: str = ""
    exit_code: int = FAILED

    def lines(self) -> list[str]:
        parts = (("error", self.message), ("detail", self.detail), ("hint", self.hint))
        return [f"{name}: {' '.join(text.split())}" for name, text in parts if text]


def failure_of(error: BaseException) -> Failure:
    if isinstance(error, ThanopgError):
        return Failure(message=error.message, hint=error.hint, sqlstate=error.sqlstate)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        return Failure(message=where + reason, hint=OS_HINTS.get(error.errno or 0, ""))
    if _is_psycopg_error(error):
        return _of_psycopg(error)
    if hasattr(error, "format_message"):  # a usage error of the command line library
        return _of_usage(error)
    return Failure(message=f"internal error: {type(error).__name__}: {error}", hint=REPORT, sqlstate="XX000")


def report(error: BaseException, *, verbosity: int = 0) -> int:
    """Say it on stderr; returns the exit code."""
    failure = failure_of(error)
    if verbosity:
        traceback.print_exception(error)
    for line in failure.lines():
        print(line, file=sys.stderr)
    if verbosity and failure.sqlstate:
        print(f"sqlstate: {failure.sqlstate}", file=sys.stderr)
    return failure.exit_code


def _is_psycopg_error(error: BaseException) -> bool:
    psycopg = sys.modules.get("psycopg")  # not loaded: then it can't be one of its errors
    return psycopg is not None and isinstance(error, psycopg.Error)


def _of_psycopg(error: BaseException) -> Failure:
    diag = error.diag  # type: ignore[attr-defined]  # psycopg.Error has it
    return Failure(
        message=diag.message_primary or (str(error).strip().splitlines() or ["the database gave no reason"])[0],
        detail=diag.message_detail or "",
        hint=diag.message_hint or "",
        sqlstate=diag.sqlstate or "",
    )


def _of_usage(error: BaseException) -> Failure:
    context = getattr(error, "ctx", None)
    message = str(error.format_message()).strip().rstrip(".")  # type: ignore[attr-defined]
    hint = f"see: {context.command_path} --help" if context is not None else "see: thanopg --help"
    return Failure(message=message[:1].lower() + message[1:], hint=hint, exit_code=MISUSED)
