"""Why PostgreSQL did not start: the last telling line of its output, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

from thanopg.errors import ServerStartError

DAMAGED = "the data directory is damaged: restore a backup of {home}, or move it away and start anew"
HINTS: tuple[tuple[str, str], ...] = (
    ("No space left on device", "free some space on the disk of {home}, then start again"),
    ("Disk quota exceeded", "free some space on the disk of {home}, then start again"),
    ("Address already in use", "another program has that port: choose another one, or none"),
    ("pre-existing shared memory block", "processes of a killed server are still ending: try again in a moment"),
    ("could not create shared memory segment", "the machine is out of shared memory: stop another server"),
    ("could not map anonymous shared memory", "the machine is out of memory: stop another program"),
    ("Permission denied", "look at the owners and modes below {home}"),
    ("has wrong ownership", "look at the owners and modes below {home}"),
    ("has invalid permissions", "look at the owners and modes below {home}"),
    (
        "database files are incompatible",
        "this data belongs to another version of PostgreSQL: choose another THANOPG_HOME",
    ),
    ("is not a valid data directory", DAMAGED),
    ("could not locate a valid checkpoint record", DAMAGED),
    ("could not find the database system", DAMAGED),
    ("incorrect checksum in control file", DAMAGED),
    ("could not read file", DAMAGED),
    ("could not open file", DAMAGED),
    ("could not open directory", DAMAGED),
    ("invalid locale", "the locale C.UTF-8 is missing on this machine: install it"),
    ("configuration file", "correct the setting in {home}"),
)
TELLING = re.compile(r"\b(FATAL|PANIC|initdb: error|postgres: error): +(?P<text>.*)")
LOG_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[\d+\] ")


def failure_of(output: str, home: Path) -> ServerStartError:
    """The error for what a program printed before it gave up."""
    lines = [LOG_PREFIX.sub("", line).strip() for line in output.splitlines() if line.strip()]
    telling = [match["text"] for line in lines if (match := TELLING.search(line))]
    reason = telling[-1] if telling else (lines[-1] if lines else "it ended without a word")
    hint = next((hint for mark, hint in HINTS if mark in output), "read {home}/log/server.log")
    return ServerStartError(f"could not start the embedded server: {reason}", hint=hint.format(home=home))
