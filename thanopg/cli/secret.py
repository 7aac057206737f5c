"""Passwords come from a file or from the environment, never from the command line, where all can see them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from thanopg.errors import InvalidArgument

VARIABLE = "THANOPG_SERVICE_PASSWORD"
DATABASE_FILE = "THANOPG_DATABASE_PASSWORD_FILE"


def service_password(file: Path | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """None when neither a file nor the environment has one. Raises InvalidArgument for an empty one, OSError."""
    file = file or (Path(environ[f"{VARIABLE}_FILE"]) if environ.get(f"{VARIABLE}_FILE") else None)
    if file is not None:
        password = file.read_text().rstrip("\r\n")
        if not password:
            raise InvalidArgument(f"the password file {file} is empty")
        return password
    return environ.get(VARIABLE) or None


def required(password: str | None) -> str:
    if password is None:
        raise InvalidArgument(
            "the service needs a password",
            hint=f"put one into {VARIABLE}, or into a file: --password-file (and give install the same)",
        )
    return password


def with_password(url: str | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """The database URL with the password of the file that the environment names, unless it has one. Raises OSError."""
    file = environ.get(DATABASE_FILE)
    if url is None or not file:
        return url
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    try:
        if conninfo_to_dict(url).get("password"):
            return url
        return make_conninfo(url, password=Path(file).read_text().rstrip("\r\n"))
    except ProgrammingError:
        return url  # connecting says what is wrong with it
