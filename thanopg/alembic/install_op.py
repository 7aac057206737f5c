"""`op.install_thanopg()`: what `thanopg install` does, from a migration, on its connection and in its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import alembic.context
import psycopg
from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError, warn
from sqlalchemy import AdaptedConnection, Connection

from thanopg.alembic.statement import literal
from thanopg.database.install import install_within
from thanopg.database.install_script import install_script
from thanopg.database.service_address import ServiceAddress
from thanopg.errors import ThanopgError


@Operations.register_operation("install_thanopg")
class InstallThanopgOp(MigrateOperation):
    """Schema thanopg as this package knows it. A downgrade leaves it: who else uses it is not known."""

    def __init__(self, *, service: ServiceAddress | None = None) -> None:
        self.service = service

    def to_diff_tuple(self) -> tuple[Any, ...]:
        return ("install_thanopg",)

    @classmethod
    def install_thanopg(cls, operations: Operations, *, service: ServiceAddress | None = None) -> None:
        """Install or upgrade schema thanopg; `service` is where the database finds the embedding service."""
        operations.invoke(cls(service=service))


@Operations.implementation_for(InstallThanopgOp)
def install_thanopg(operations: Operations, operation: InstallThanopgOp) -> None:
    context = operations.migration_context
    with undisturbed(operations):
        if context.as_sql:
            context.impl.static_output(script(operation.service))
            return
        assert context.bind is not None
        try:
            warnings = install_over(context.bind, operation.service)
        except ThanopgError as error:
            raise CommandError("; ".join(filter(None, (error.message, error.hint)))) from error
    for warning in warnings:
        warn(f"thanopg: {warning}")


def install_over(connection: Connection, service: ServiceAddress | None) -> tuple[str, ...]:
    """By psycopg as `thanopg install` does it; by other drivers as its script. Returns what disappoints."""
    adapted = connection.connection
    driver = adapted.driver_connection
    if isinstance(driver, psycopg.Connection):
        return install_within(connection, service).warnings
    if isinstance(adapted.dbapi_connection, AdaptedConnection):
        adapted.dbapi_connection.run_async(lambda raw: raw.execute(script(service)))
    else:
        connection.exec_driver_sql(script(service), execution_options={"no_parameters": True})
    return ()


def script(service: ServiceAddress | None) -> str:
    if service is None:
        return install_script()
    values = ", ".join((literal(service.host), str(service.port), literal(service.user), literal(service.password)))
    where = "WHERE current_setting('thanopg.adapter') <> 'none'"  # no way to it, nothing to remember
    return f"{install_script()}\nSELECT thanopg.set_service_address({values}) {where};"


@contextmanager
def undisturbed(operations: Operations) -> Iterator[None]:
    """Our own migrations are Alembic's as well: while they run, `alembic.op` and `alembic.context` mean theirs."""
    environment = alembic.context._proxy  # type: ignore[attr-defined]
    try:
        yield
    finally:
        environment._install_proxy()
        operations._install_proxy()
