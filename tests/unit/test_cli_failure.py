"""What people see of an error."""

from __future__ import annotations

import errno

import psycopg
import pytest

from thanopg.cli.failure import failure_of, report
from thanopg.errors import AlreadyRunning, UnknownModel


def test_ours() -> None:
    failure = failure_of(UnknownModel("unknown base or source 'x'", hint="did you mean y?"))
    assert failure.lines() == ["error: unknown base or source 'x'", "hint: did you mean y?"]
    assert (failure.exit_code, failure.sqlstate) == (1, "42704")
    assert failure_of(AlreadyRunning()).lines()[0] == "error: thanopg is already running on this home"


def test_one_line_each() -> None:
    assert failure_of(UnknownModel("a\n  b", hint="c\nd")).lines() == ["error: a b", "hint: c d"]


def test_the_system() -> None:
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device", "/data/1.jpg"))
    assert failure.lines() == [
        "error: /data/1.jpg: no space left on device",
        "hint: free some space on that disk, then try again",
    ]


def test_psycopg_without_a_server() -> None:
    assert failure_of(psycopg.OperationalError("the connection is lost\n\nand more")).lines() == [
        "error: the connection is lost"
    ]


def test_anything_else_is_internal() -> None:
    failure = failure_of(ZeroDivisionError("division by zero"))
    assert failure.lines()[0] == "error: internal error: ZeroDivisionError: division by zero"
    assert "-v" in failure.hint


def test_verbose_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise UnknownModel()
    except UnknownModel as error:
        assert report(error, verbosity=1) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" in shown.err and shown.err.endswith("sqlstate: 42704\n")
