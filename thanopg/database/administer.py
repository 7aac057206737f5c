"""What only a superuser may do, once per database: the extension, the schema's owner, the native function, roles."""

from __future__ import annotations

import psycopg
from psycopg import sql

from thanopg.database.connect import Connection, connect
from thanopg.database.roles import create_roles, let_owner_grant

INSTALL_LOCK = 0x7468616E6F7067  # "thanopg"
NATIVE_WRAPPER = "thanopg_service_fdw"
CREATE_NATIVE_CALL = """
    CREATE OR REPLACE FUNCTION thanopg.native_call(conninfo text, request text)
    RETURNS text AS 'thanopg_native', 'native_call' LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
"""
COMMENT_NATIVE_CALL = """
    COMMENT ON FUNCTION thanopg.native_call IS 'send one request to the embedding service; only service_call calls it'
"""


def lock_install(connection: Connection) -> None:
    """One install at a time, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [INSTALL_LOCK])


def is_superuser(connection: Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def prepare_superuser(superuser_url: str, owner: str) -> None:
    """For `owner`, who then installs without being superuser. Again changes nothing. Raises DatabaseUnavailable."""
    with connect(superuser_url, application_name="thanopg install") as connection:
        lock_install(connection)
        prepare(connection, owner)


def prepare(connection: Connection, owner: str) -> None:
    """The same, inside a transaction of a superuser."""
    role = sql.Identifier(owner)
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS thanopg AUTHORIZATION {}").format(role))
    if not _exists(connection, "SELECT FROM pg_foreign_data_wrapper WHERE fdwname = %s", NATIVE_WRAPPER):
        connection.execute(sql.SQL("CREATE FOREIGN DATA WRAPPER {}").format(sql.Identifier(NATIVE_WRAPPER)))
    connection.execute(
        sql.SQL("GRANT USAGE ON FOREIGN DATA WRAPPER {} TO {}").format(sql.Identifier(NATIVE_WRAPPER), role)
    )
    create_native_call(connection, role)
    create_roles(connection)
    let_owner_grant(connection, owner)


def create_native_call(connection: Connection, role: sql.Identifier) -> None:
    """Where the server finds our library; elsewhere nothing, and install looks for dblink."""
    try:
        with connection.transaction():
            connection.execute(CREATE_NATIVE_CALL)
    except (psycopg.errors.UndefinedFile, psycopg.errors.UndefinedFunction, psycopg.errors.InsufficientPrivilege):
        return
    connection.execute(COMMENT_NATIVE_CALL)
    connection.execute("REVOKE ALL ON FUNCTION thanopg.native_call FROM PUBLIC")
    connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION thanopg.native_call TO {}").format(role))


def _exists(connection: Connection, query: str, *arguments: str) -> bool:
    return connection.execute(query, arguments).fetchone() is not None
