"""install: whole, twice, racing, and as a role that is no superuser."""

from __future__ import annotations

from conftest import Database
from psycopg import Connection


def test_short_names_work(database: Database, connection: Connection) -> None:
    assert connection.execute("SELECT to_regprocedure('embed_text(text, text)') IS NOT NULL").fetchone() == (True,)
    assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_again(database: Database, connection: Connection) -> None:
    assert connection.execute("SHOW search_path").fetchone() == ('"$user", public, thanopg',)
