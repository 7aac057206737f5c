"""The demo's own home: recognised by a marker, emptied only when an earlier demo made it and nothing runs there.

What people have added to it is kept: a second marker tells a home that is half made or half removed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from thanopg.cli.stack.home import make_home
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable, InvalidArgument, ServerStartError

MARKER = "made-by-thanopg-demo"
UNFINISHED = "being-made-by-thanopg-demo"
KEPT = (MARKER, UNFINISHED, "stack.lock")
ADDED = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^(pg_|thanopg)'
      AND (n.nspname, c.relname) <> ('public', 'product')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 1
"""
"""tables and views that the demo did not make"""
MOST_NAMED = 5


def place_of(home: Path) -> Path:
    """The folder demo of the user's home, or the home itself if that is a demo's already."""
    return home if (home / MARKER).exists() else home / "demo"


def claim(home: Path) -> None:
    """Make it the demo's, before it is locked. Raises InvalidArgument when it holds something else."""
    if home.is_dir() and any(home.iterdir()) and not (home / MARKER).exists():
        raise InvalidArgument(f"{home} was not made by a demo", hint="move it away, or choose another --home")
    make_home(home)
    (home / MARKER).write_text("thanopg demo empties this directory when it is run again\n")


def refuse_if_used(home: Path) -> None:
    """Under the home's lock. Raises InvalidArgument when people have added tables to it, or it can't be seen."""
    server = EmbeddedServer(home)
    if not server.home.data.exists():
        return
    anyway = "to remake it anyway, and lose what is in it: thanopg demo --fresh; to keep it: choose another --home"
    try:
        with server, connect(server.superuser_url, application_name="thanopg demo") as connection:
            added = [str(row[0]) for row in connection.execute(ADDED).fetchall()]
    except (ServerStartError, DatabaseUnavailable, psycopg.Error) as error:
        if (home / UNFINISHED).exists():
            return  # half made or half removed: no wonder
        raise InvalidArgument(f"what is in {home} can't be seen: {error}", hint=anyway) from error
    if added:
        more = f" and {len(added) - MOST_NAMED} more" if len(added) > MOST_NAMED else ""
        raise InvalidArgument(f"{home} holds tables of yours: {', '.join(added[:MOST_NAMED])}{more}", hint=anyway)


def empty(home: Path) -> None:
    """Under the home's lock: end a server that a killed demo has left, and take its files away."""
    (home / UNFINISHED).touch()
    server = EmbeddedServer(home)
    server.stop()
    socket_directory = server.socket_directory
    for path in sorted(home.iterdir()):
        if path.name not in KEPT:
            remove(path)
    if socket_directory.exists():
        remove(socket_directory)
    make_home(home)


def finish(home: Path) -> None:
    """It is whole: what can't be seen in it from now on may be somebody's."""
    (home / UNFINISHED).unlink(missing_ok=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
