"""How SQL reaches the embedding service on this server: our native function, dblink, or not at all."""

from __future__ import annotations

from typing import Literal

import psycopg

from thanopg.database.administer import NATIVE_WRAPPER
from thanopg.database.connect import Connection
from thanopg.database.files import service_call_sql
from thanopg.database.service_address import ServiceAddress

Adapter = Literal["native", "dblink", "none"]

WRAPPERS: dict[Adapter, str] = {"native": NATIVE_WRAPPER, "dblink": "dblink_fdw"}
HAS_NATIVE = """
    SELECT coalesce(has_function_privilege(to_regprocedure('thanopg.native_call(text, text)'), 'EXECUTE'), false)
       AND coalesce((SELECT has_foreign_data_wrapper_privilege(oid, 'USAGE')
                     FROM pg_foreign_data_wrapper WHERE fdwname = 'thanopg_service_fdw'), false)
"""
HAS_DBLINK = """
    SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink')
       AND coalesce((SELECT has_foreign_data_wrapper_privilege(oid, 'USAGE')
                     FROM pg_foreign_data_wrapper WHERE fdwname = 'dblink_fdw'), false)
"""


def choose_adapter(connection: Connection) -> Adapter:
    """The best that this role may use now; dblink is created where that is allowed."""
    if _says_yes(connection, HAS_NATIVE):
        return "native"
    _try_to_create_dblink(connection)
    return "dblink" if _says_yes(connection, HAS_DBLINK) else "none"


def install_adapter(connection: Connection, adapter: Adapter, service: ServiceAddress | None) -> None:
    """The body of service_call, the SERVER and, when given, the service's address."""
    for name in ("address", adapter):
        connection.execute(service_call_sql(name).read_bytes())
    if adapter == "none":
        return
    connection.execute("SELECT thanopg.create_service_server(%s)", [WRAPPERS[adapter]])
    if service is not None:
        connection.execute(
            "SELECT thanopg.set_service_address(%s, %s::int, %s, %s)",
            [service.host, service.port, service.user, service.password],
        )


def _says_yes(connection: Connection, query: str) -> bool:
    row = connection.execute(query.encode()).fetchone()
    return bool(row and row[0])


def _try_to_create_dblink(connection: Connection) -> None:
    try:
        with connection.transaction():
            connection.execute("CREATE EXTENSION IF NOT EXISTS dblink")
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile):
        return  # no right to, or not on this server
