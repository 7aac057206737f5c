"""A database's schema as pg_dump writes it, to be compared with another moment's, and scripts that change it."""

from __future__ import annotations

import re
import subprocess

from tests.databases import Database
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer

NUMBERED = re.compile(r"(?<=thanopg_)\d+(?=_(?:insert|update)\b)|(?<=_embedding_)\d+\b|(?<=enqueue\(')\d+(?='\))")
"""the registry's number of an embedding column: in the names of its triggers, of its index, and in what they call"""


def dump(server: EmbeddedServer, url: str, *options: str) -> str:
    """Without the tokens that differ between two dumps."""
    command = [str(server.bin("pg_dump")), "--schema-only", "--restrict-key=same", *options, f"--dbname={url}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def psql(server: EmbeddedServer, database: Database, script: str) -> None:
    """Runs a script, to its first error."""
    command = [str(server.bin("psql")), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def comparable_dump(server: EmbeddedServer, url: str) -> str:
    """With columns' names where the registry's numbers are: a number is never given twice, so they differ by nature.

    What is not ours is left as it is, and so is the order, which a number in a trigger's name must not decide.
    """
    with connect(url) as connection:
        rows = connection.execute("SELECT id, format('<%s.%s>', target, column_name) FROM thanopg.embedding_column")
        names = {str(number): str(name) for number, name in rows}
    text = NUMBERED.sub(lambda match: names.get(match[0], match[0]), dump(server, url))
    head, *objects = re.split(r"(?m)^--\n(?=-- Name: )", text)
    return "".join([head, *sorted(objects)])
