"""What PostgreSQL prints before it gives up, and what people are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from thanopg.database.failure import failure_of

HOME = Path("/srv/thanopg")


@pytest.mark.parametrize(
    ("output", "message", "hint"),
    [
        (
            "2026-01-02 03:04:05.678 UTC [42] LOG:  starting PostgreSQL 18.4\n"
            '2026-01-02 03:04:05.678 UTC [42] FATAL:  could not write lock file "postmaster.pid": '
            "No space left on device\n",
            'could not write lock file "postmaster.pid": No space left on device',
            "free some space on the disk of /srv/thanopg, then start again",
        ),
        (
            "creating subdirectories ... ok\n"
            'initdb: error: could not write to file "pg_wal/xlogtemp.7": No space left on device\n'
            "initdb: removing data directory\n",
            'could not write to file "pg_wal/xlogtemp.7": No space left on device',
            "free some space on the disk of /srv/thanopg, then start again",
        ),
        (
            '2026-01-02 03:04:05 UTC [1] LOG:  could not bind IPv4 address "127.0.0.1": Address already in use\n'
            "2026-01-02 03:04:05 UTC [1] FATAL:  could not create any TCP/IP sockets\n",
            "could not create any TCP/IP sockets",
            "another program has that port: choose another one, or none",
        ),
        (
            "2026-01-02 03:04:05 UTC [1] PANIC:  could not locate a valid checkpoint record at 0/1500060\n"
            "2026-01-02 03:04:05 UTC [2] LOG:  aborting startup due to startup process failure\n",
            "could not locate a valid checkpoint record at 0/1500060",
            "the data directory is damaged: restore a backup of /srv/thanopg, or move it away and start anew",
        ),
        ("something else\n", "something else", "read /srv/thanopg/log/server.log"),
        ("", "it ended without a word", "read /srv/thanopg/log/server.log"),
    ],
)
def test_failure(output: str, message: str, hint: str) -> None:
    error = failure_of(output, HOME)
    assert error.message == f"could not start the embedded server: {message}"
    assert error.hint == hint
