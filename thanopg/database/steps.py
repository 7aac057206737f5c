"""What install runs before and after the migrations, in order: on a connection, or written down as a script.

Every step is SQL of `sql/`. Steps tell each other things in settings `thanopg.…` of the transaction. What disappoints
is a warning, what can't go on is an error whose hint is the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from thanopg.database.bundled import bundled_model
from thanopg.database.connect import Connection
from thanopg.database.files import replaceable_sql, sql_directory
from thanopg.errors import InstallError

ADAPTERS = ("native", "dblink", "none")


@dataclass(frozen=True)
class Step:
    name: str
    text: str
    ours: bool = False
    """an error in it is about us, not about the server or the caller's rights: it is told with the file's name"""


def before_migrations() -> list[Step]:
    return [_file(name) for name in ("begin", "server", "roles", "administrator", "vector", "search_path", "schema")]


def after_migrations() -> list[Step]:
    return [
        _file("adapter"),
        Step("service_call", _service_call()),
        _file("service"),
        *(Step(f"sql/{path.name}", path.read_text(), ours=True) for path in replaceable_sql()),
        Step("bundled_model", _set_local("thanopg.bundled_model", bundled_model())),
        _file("bundled_model"),
        _file("end"),
    ]


def as_administrator(owner: str) -> list[Step]:
    """What a superuser does for the role that installs."""
    return [
        _file("begin"),
        _file("server"),
        _file("roles"),
        Step("owner", _set_local("thanopg.owner", owner)),
        _file("administrator"),
        _file("end"),
    ]


def only(name: str) -> list[Step]:
    """One of `sql/install/` by itself."""
    return [_file(name)]


def run(connection: Connection, steps: Iterable[Step]) -> None:
    """Raises psycopg.Error, InstallError."""
    for step in steps:
        try:
            connection.execute(step.text.encode())
        except psycopg.Error as error:
            if not step.ours:
                raise
            message = f"{step.name}: {error.diag.message_primary or error}"
            raise InstallError(message, hint=error.diag.message_hint or "") from error


@contextmanager
def warnings_of(connection: Connection) -> Iterator[list[str]]:
    """Those that the server sends in the meantime."""
    heard: list[str] = []

    def hear(said: psycopg.errors.Diagnostic) -> None:
        if said.severity_nonlocalized == "WARNING":
            heard.append(said.message_primary or "")

    connection.add_notice_handler(hear)
    try:
        yield heard
    finally:
        connection.remove_notice_handler(hear)


def dollar_quoted(text: str) -> str:
    """As it is, whatever quotes are in it."""
    number = 1
    while f"$thanopg{number}$" in text:
        number += 1
    return f"$thanopg{number}${text}$thanopg{number}$"


def _service_call() -> str:
    """The functions for the service's address, and the body of service_call that the step before has chosen."""
    directory = sql_directory() / "service_call"
    bodies = {name: (directory / f"{name}.sql").read_text() for name in ADAPTERS}
    cases = "\n".join(f"    WHEN '{name}' THEN EXECUTE {dollar_quoted(body)};" for name, body in bodies.items())
    choice = f"\nBEGIN\n  CASE current_setting('thanopg.adapter')\n{cases}\n  END CASE;\nEND "
    return f"{(directory / 'address.sql').read_text()}\nDO {dollar_quoted(choice)};\n"


def _file(name: str) -> Step:
    return Step(name, (sql_directory() / "install" / f"{name}.sql").read_text())


def _set_local(setting: str, value: str) -> str:
    return f"SET LOCAL {setting} = {sql.Literal(value).as_string(None)};\n"
