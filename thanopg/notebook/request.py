"""What the user wants of `%thanosql` and `%%thanosql`: to connect, to give a token, or to run a statement."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from thanopg.errors import InvalidArgument

SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
TOKEN = re.compile(r"API_TOKEN\s*=\s*(.*)", re.DOTALL)
OPTION = re.compile(r"--([A-Za-z][A-Za-z-]*)(?:=(\S*))?(?:\s+|$)")
THUMBNAILS = "thumbnails"


@dataclass(frozen=True)
class Connect:
    url: str = field(repr=False)


@dataclass(frozen=True)
class UseToken:
    token: str = field(repr=False)


@dataclass(frozen=True)
class Run:
    """`statement` may be empty: there is nothing to do."""

    statement: str
    thumbnails: str | None = None
    """the column to show pictures of; empty: those that are known to hold some; None: not asked for"""


Request = Connect | UseToken | Run


def understand(line: str, cell: str | None) -> Request:
    """Raises InvalidArgument for an address of something else, and for an option that there is not."""
    thumbnails, rest = _options(line.strip())
    if cell is None or not cell.strip():
        if found := SCHEME.match(rest):
            return _connect(rest, found[1])
        if found := TOKEN.match(rest):
            return UseToken(found[1].strip().strip("'\""))
    statement = "\n".join(part for part in (rest, cell or "") if part.strip())
    return Run(statement, thumbnails)


def _options(line: str) -> tuple[str | None, str]:
    thumbnails = None
    while found := OPTION.match(line):
        if found[1] != THUMBNAILS:
            raise InvalidArgument(
                f"unknown option --{found[1]}", hint=f"there is one: --{THUMBNAILS}, or --{THUMBNAILS}=column"
            )
        thumbnails = found[2] or ""
        line = line[found.end() :]
    return thumbnails, line


def _connect(url: str, scheme: str) -> Connect:
    if scheme.lower() not in ("postgresql", "postgres"):
        raise InvalidArgument(
            f"expected postgresql://…, not {scheme}://…",
            hint="the address is that of a PostgreSQL database: postgresql://user@host:5432/database",
        )
    return Connect(url)
