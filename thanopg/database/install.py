"""Brings a database to the current state: migrations, then every replaceable object, in one transaction.

Doing it twice changes nothing; two at once wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psycopg
import sqlalchemy

from thanopg.database.connect import Connection, connect
from thanopg.database.migrate import upgrade
from thanopg.database.native_library import ensure_native_library
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress
from thanopg.database.steps import after_migrations, as_administrator, before_migrations, run, warnings_of
from thanopg.errors import InstallError

Adapter = Literal["native", "dblink", "none"]
"""how SQL reaches the service: sql/service_call/"""


@dataclass(frozen=True, kw_only=True)
class InstallReport:
    revision: str
    adapter: Adapter
    warnings: tuple[str, ...] = ()


def install(url: str, *, service: ServiceAddress | None = None, superuser_url: str | None = None) -> InstallReport:
    """Install as the role of `url`, who owns everything. `superuser_url` (same database) does what needs one.

    Raises DatabaseUnavailable, InstallError.
    """
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, application_name="thanopg install"),
        poolclass=sqlalchemy.NullPool,
    )
    try:
        if superuser_url is not None:
            _prepare(superuser_url, _role_of(url))
        with engine.begin() as outer:
            return install_within(outer, service)
    except psycopg.Error as error:
        raise _failure(error) from error


def install_within(outer: sqlalchemy.Connection, service: ServiceAddress | None = None) -> InstallReport:
    """Install in the caller's transaction, whose settings are then as they were. The driver must be psycopg.

    Raises InstallError.
    """
    driver = outer.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        return _install(outer, driver, service)
    except sqlalchemy.exc.DBAPIError as error:
        raise _failure(error.orig) from error
    except psycopg.Error as error:
        raise _failure(error) from error


def install_embedded(server: EmbeddedServer, service: ServiceAddress | None = None) -> InstallReport:
    """Into the embedded server's database; its service is expected beside it unless another one is named.

    Raises DatabaseUnavailable, InstallError, among them one for a missing compiler: this server has no dblink.
    """
    reason = ensure_native_library(server.home.library)
    if reason is not None:
        raise InstallError(
            f"the native function could not be compiled: {reason}",
            hint="install a C compiler with its headers (apt-get install gcc libc6-dev), then try again",
        )
    return install(server.url, service=service or server.service_address, superuser_url=server.superuser_url)


def _install(outer: sqlalchemy.Connection, connection: Connection, service: ServiceAddress | None) -> InstallReport:
    with warnings_of(connection) as warnings:
        run(connection, before_migrations())
        revision = upgrade(outer)
        run(connection, after_migrations())
    row = connection.execute("SELECT current_setting('thanopg.adapter')").fetchone()
    assert row is not None
    if service is not None and row[0] != "none":
        connection.execute(
            "SELECT thanopg.set_service_address(%s, %s::int, %s, %s)",
            [service.host, service.port, service.user, service.password],
        )
    return InstallReport(revision=revision, adapter=row[0], warnings=tuple(warnings))


def _prepare(superuser_url: str, owner: str) -> None:
    """What only a superuser may do, for `owner`, who then installs without being one. Again changes nothing."""
    with connect(superuser_url, application_name="thanopg install") as connection:
        run(connection, as_administrator(owner))


def _failure(error: BaseException | None) -> InstallError:
    diag = error.diag if isinstance(error, psycopg.Error) else None
    text = (diag.message_primary if diag else None) or str(error).strip().splitlines()[0]
    hint = (diag.message_hint if diag else None) or ""
    if not hint and isinstance(error, psycopg.errors.InsufficientPrivilege):
        hint = "install as the owner of the database and of the schema thanopg, or as a superuser"
    return InstallError(text, hint=hint)


def _role_of(url: str) -> str:
    with connect(url, application_name="thanopg install") as connection:
        row = connection.execute("SELECT current_user::text").fetchone()
        assert row is not None
        return str(row[0])
