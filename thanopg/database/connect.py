"""Connections to the database, and what went wrong when there is none. Passwords never get into a message."""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from thanopg.errors import DatabaseUnavailable

Connection = psycopg.Connection[TupleRow]

CONNECT_SECONDS = 10
KEEPALIVES = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""seconds, and milliseconds: a server that vanished without a word is given up after a minute, not after two hours"""
HINTS: tuple[tuple[str, str], ...] = (
    ("password authentication failed", "check the user and the password of the database URL"),
    ("no password supplied", "put a password into the database URL, or into ~/.pgpass"),
    ("no pg_hba.conf entry", "allow this user and address in the server's pg_hba.conf, or ask with sslmode=require"),
    ("does not exist", "create it first, or correct the database URL"),
    ("too many clients", "close other connections, or raise max_connections"),
    ("remaining connection slots", "close other connections, or raise max_connections"),
    ("starting up", "the server is starting: try again in a moment"),
    ("shutting down", "the server is stopping: start it again"),
    ("could not translate host name", "correct the host in the database URL"),
    ("No such file or directory", "start the server with: thanopg up, or name another one: --database-url"),
    ("Connection refused", "start the server, or name another one: --database-url"),
    ("timeout expired", "check host, port and firewall"),
)
DEFAULT_HINT = "check the database URL"
PLACE = re.compile(r'connection to server at "(?P<host>[^"]+)".*?, port (?P<port>\d+) failed: ')


def connect(url: str, *, application_name: str = "thanopg", autocommit: bool = False) -> Connection:
    """Connect, within 10 s unless the URL says otherwise. Raises DatabaseUnavailable."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnavailable(
            "the database URL cannot be read", hint="write it as postgresql://user:password@host:5432/database"
        ) from error.with_traceback(None)
    extra: dict[str, Any] = {
        "application_name": application_name,
        "connect_timeout": CONNECT_SECONDS,
        "client_encoding": "UTF8",
        **KEEPALIVES,
    }
    try:
        return psycopg.connect(url, autocommit=autocommit, **{name: extra[name] for name in extra if name not in given})
    except psycopg.OperationalError as error:
        raise _unavailable(str(error), str(given.get("password") or "")) from error


def _unavailable(text: str, password: str) -> DatabaseUnavailable:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # connection to server at "…", port … failed: FATAL:  the reason
    telling = [line.rsplit("failed: ", 1)[1] for line in lines if "failed: " in line] or lines or ["no reason given"]
    reason = telling[-1].removeprefix("FATAL:").removeprefix("ERROR:").strip()
    if len(password) > 3:
        reason = reason.replace(password, "***")
    place = PLACE.search(next((line for line in reversed(lines) if "failed: " in line), ""))
    if place is not None and "FATAL:" not in place.string:
        reason += f" (host {place['host']}, port {place['port']})"
    hint = next((hint for mark, hint in HINTS if mark in text), DEFAULT_HINT)
    return DatabaseUnavailable(f"could not connect to the database: {reason}", hint=hint)
