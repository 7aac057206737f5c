"""The roles that rights are granted to: `thanopg_reader` searches, `thanopg_worker` embeds. They belong to the cluster.

Neither logs in: grant them to the roles that do. What they may do is in `sql/90_grants.sql`.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from thanopg.database.connect import Connection

ROLES = ("thanopg_reader", "thanopg_worker")
PER_GRANT_OPTIONS = 160000
"""the server's version from which a membership can be without inheritance"""


def create_roles(connection: Connection) -> str | None:
    """Those that are missing, where that is allowed; otherwise the warning that says what an administrator must run."""
    missing = [name for name in ROLES if not _exists(connection, name) and not _create(connection, name)]
    if not missing:
        return None
    statements = " ".join(f"CREATE ROLE {name};" for name in missing)
    return f"this role may not create roles; as an administrator: {statements} then run thanopg install again"


def let_owner_grant(connection: Connection, owner: str) -> None:
    """`owner` may hand the roles on. Inside a superuser's transaction; again changes nothing.

    It does not inherit from the worker's: its row-level security policies would then hold for the owner as well.
    """
    modern = connection.info.server_version >= PER_GRANT_OPTIONS
    options = "ADMIN TRUE, INHERIT FALSE, SET FALSE" if modern else "ADMIN OPTION"
    for name in ROLES if modern else ROLES[:1]:
        if not _may_grant(connection, owner, name):
            connection.execute(
                sql.SQL("GRANT {} TO {} WITH " + options).format(sql.Identifier(name), sql.Identifier(owner))
            )


def _exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone() is not None


def _create(connection: Connection, name: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("COMMENT ON ROLE {} IS {}").format(
                    sql.Identifier(name), sql.Literal("rights of thanopg: see schema thanopg")
                )
            )
    except psycopg.errors.InsufficientPrivilege:
        return False
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # another database's install, just now
        return True
    return True


def _may_grant(connection: Connection, owner: str, name: str) -> bool:
    row = connection.execute(
        "SELECT FROM pg_auth_members WHERE roleid = %s::regrole AND admin_option AND member = "
        "(SELECT oid FROM pg_roles WHERE rolname = %s)",
        [name, owner],
    ).fetchone()
    return row is not None
