"""The database's search_path with `thanopg` at its end, so that short names work. A plain dump does not carry it."""

from __future__ import annotations

import psycopg

from thanopg.database.connect import Connection

PRESENT = """
    SELECT substr(setting, length('search_path=') + 1)
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) u(setting)
    WHERE d.datname = current_database() AND s.setrole = 0 AND setting LIKE 'search_path=%'
"""
SERVER_WIDE = "SELECT boot_val, reset_val, source FROM pg_settings WHERE name = 'search_path'"
APPEND = """
    DO $$ BEGIN
      EXECUTE format('ALTER DATABASE %I SET search_path = %s',
                     current_database(), current_setting('thanopg.new_search_path'));
    END $$
"""


def append_search_path(connection: Connection) -> str | None:
    """Append once, keep what is there; None, or why it could not be done."""
    present = _present(connection)
    if _has_thanopg(present):
        return None
    wanted = f"{present}, thanopg" if present.strip() else "thanopg"
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('thanopg.new_search_path', %s, true)", [wanted])
            connection.execute(APPEND)
    except psycopg.errors.InsufficientPrivilege:
        return (
            "only the database's owner may add thanopg to its search_path: until then write thanopg. before the names"
        )
    return None


def is_on_search_path(connection: Connection) -> bool:
    """Would a new session find the short names? For `status`: a dump that was restored has lost the setting."""
    return _has_thanopg(_present(connection))


def _has_thanopg(search_path: str) -> bool:
    return "thanopg" in [name.strip().strip('"') for name in search_path.split(",")]


def _present(connection: Connection) -> str:
    row = connection.execute(PRESENT.encode()).fetchone()
    return str(row[0]) if row else _server_wide(connection)


def _server_wide(connection: Connection) -> str:
    row = connection.execute(SERVER_WIDE).fetchone()
    assert row is not None
    boot, reset, source = (str(value) for value in row)
    return reset if source in ("default", "configuration file") else boot
