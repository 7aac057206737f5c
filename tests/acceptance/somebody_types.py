"""`python -m tests.acceptance.somebody_types ROWS`: types at the prompt of `thanopg sql` and reads what it answers.

In a process of its own: a terminal is forked off, and beside the threads of the libraries that a session has loaded
the child may die before it has begun.
"""

from __future__ import annotations

import sys

import pexpect

from tests.command import command_line

SECONDS = 60


def talk(rows: int) -> None:
    program, *arguments = command_line("sql")
    child = pexpect.spawn(program, arguments, encoding="utf-8", timeout=SECONDS, dimensions=(50, 120))
    try:
        child.expect("Ctrl-D leaves")
        child.expect("thanosql>")
        child.send("SELECT count(*) AS photos FROM unspl")
        child.expect("unsplash_data")  # in the menu
        child.send("\t")
        child.expect("ash_data")  # in the line
        child.send(";\r")
        child.expect(rf"photos\W.*{rows}.*\(1 row\)")
        child.send("SELECT 1 +\r41 AS answer\r\r")
        child.expect(r"42.*\(1 row\)")
        child.send("SELECT nothing;\r")
        child.expect("error: .*nothing")
        child.send("PRINT IMAGE AS SELECT image_path FROM unsplash_data LIMIT 1;\r")
        child.expect(r"(▀[^▀]+){20}")
        child.expect("thanosql>")
        child.send("SELECT 2 +\r\\?\r")
        child.expect("shows this; Ctrl-C stops")
        child.expect(r"2\W.*\+")  # goes on
        child.send("\r40 AS again;\r")
        child.expect(r"42.*\(1 row\)")
        child.send("SELECT 'never closed\r\\q\r")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0
    finally:
        child.close(force=True)


if __name__ == "__main__":
    talk(int(sys.argv[1]))
