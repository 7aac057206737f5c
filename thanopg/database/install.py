"""Brings a database to the current state: migrations, then every replaceable object, in one transaction.

Doing it twice changes nothing; two at once wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import sqlalchemy
from psycopg import sql

from thanopg.database import administer
from thanopg.database.adapter import Adapter, choose_adapter, install_adapter
from thanopg.database.bundled import register_bundled_model
from thanopg.database.connect import Connection, connect
from thanopg.database.files import replaceable_sql
from thanopg.database.migrate import upgrade
from thanopg.database.native_library import ensure_native_library
from thanopg.database.roles import create_roles
from thanopg.database.search_path import append_search_path
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress
from thanopg.errors import InstallError

OLDEST_SERVER = 15
OLDEST_VECTOR = (0, 8, 2)
SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('search_path', 'client_min_messages')"
"""that hold until the end of the transaction once we have set them"""


@dataclass(frozen=True, kw_only=True)
class InstallReport:
    revision: str
    adapter: Adapter
    warnings: tuple[str, ...] = ()


def install(url: str, *, service: ServiceAddress | None = None, superuser_url: str | None = None) -> InstallReport:
    """Install as the role of `url`, who owns everything. `superuser_url` (same database) does what needs one.

    Raises DatabaseUnavailable, InstallError.
    """
    if superuser_url is not None:
        administer.prepare_superuser(superuser_url, _role_of(url))
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=lambda: connect(url, application_name="thanopg install"),
        poolclass=sqlalchemy.NullPool,
    )
    try:
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
        before = driver.execute(SETTINGS).fetchall()
        report = _install(outer, driver, service)
        for name, value in before:
            driver.execute("SELECT set_config(%s, %s, true)", [name, value])
        return report
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
    warnings = _check_server(connection)
    administer.lock_install(connection)
    if administer.is_superuser(connection):
        administer.prepare(connection, _current_role(connection))
    _ensure_vector(connection)
    warnings.append(append_search_path(connection))
    connection.execute("SET LOCAL client_min_messages = warning")
    _ensure_schema(connection)
    _see_only(connection, "thanopg", _vector_schema(connection))
    revision = upgrade(outer)
    adapter = choose_adapter(connection)
    install_adapter(connection, adapter, service)
    if adapter == "none":
        warnings.append(
            "neither the native function nor dblink can be used here: embed_text and search_image will not work"
        )
    warnings.append(create_roles(connection))
    for path in replaceable_sql():
        _run_file(connection, path.name, path.read_bytes())
    warnings.append(register_bundled_model(connection))
    return InstallReport(revision=revision, adapter=adapter, warnings=tuple(text for text in warnings if text))


def _check_server(connection: Connection) -> list[str | None]:
    """What can't be worked with is an error; what merely disappoints is a warning."""
    if connection.info.server_version < OLDEST_SERVER * 10000:
        raise InstallError(
            f"expected PostgreSQL {OLDEST_SERVER} or newer, not {connection.info.server_version // 10000}",
            hint="upgrade the server, or use the embedded one: thanopg up",
        )
    row = connection.execute(
        "SELECT pg_encoding_to_char(encoding), datctype FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    encoding, ctype = row
    if encoding != "UTF8":
        raise InstallError(
            f"expected a database in UTF8, not {encoding}",
            hint="CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
        )
    if ctype in ("C", "POSIX"):
        return [f"LC_CTYPE is {ctype}: Hangul has no word characters and no trigrams; C.UTF-8 has them"]
    return []


def _ensure_vector(connection: Connection) -> None:
    try:
        with connection.transaction():
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except psycopg.errors.InsufficientPrivilege as error:
        raise InstallError(
            "the extension vector is missing and this role may not create it",
            hint="as an administrator: CREATE EXTENSION vector",
        ) from error
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile) as error:
        raise InstallError(
            "this server has no pgvector", hint="install pgvector ≥ 0.8.2 on it, or use the embedded server: thanopg up"
        ) from error
    row = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    assert row is not None
    version = str(row[0])
    if tuple(int(part) for part in version.split(".")[:3] if part.isdecimal()) < OLDEST_VECTOR:
        raise InstallError(
            f"expected pgvector {'.'.join(map(str, OLDEST_VECTOR))} or newer, not {version}",
            hint="ALTER EXTENSION vector UPDATE, after installing the new version on the server",
        )
    # loads the library: only then may a role without superuser write SET hnsw.… into a function
    connection.execute(sql.SQL("SELECT '[1]'::{}.vector").format(sql.Identifier(_vector_schema(connection))))


def _ensure_schema(connection: Connection) -> None:
    row = connection.execute("SELECT to_regnamespace('thanopg') IS NULL").fetchone()
    if row and row[0]:  # IF NOT EXISTS would want the right to create one all the same
        connection.execute("CREATE SCHEMA thanopg")


def _vector_schema(connection: Connection) -> str:
    row = connection.execute(
        "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'vector'"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _see_only(connection: Connection, *schemas: str) -> None:
    """Names in our files mean the same whatever this session's search_path was."""
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    connection.execute(sql.SQL("SET LOCAL search_path = {}, pg_temp").format(path))


def _run_file(connection: Connection, name: str, text: bytes) -> None:
    try:
        connection.execute(text)
    except psycopg.Error as error:
        raise InstallError(
            f"sql/{name}: {error.diag.message_primary or error}", hint=error.diag.message_hint or ""
        ) from error


def _failure(error: BaseException | None) -> InstallError:
    diag = error.diag if isinstance(error, psycopg.Error) else None
    text = (diag.message_primary if diag else None) or str(error).strip().splitlines()[0]
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return InstallError(
            text, hint="install as the owner of the database and of the schema thanopg, or as a superuser"
        )
    return InstallError(text, hint=(diag.message_hint if diag else None) or "")


def _current_role(connection: Connection) -> str:
    row = connection.execute("SELECT current_user::text").fetchone()
    assert row is not None
    return str(row[0])


def _role_of(url: str) -> str:
    with connect(url, application_name="thanopg install") as connection:
        return _current_role(connection)
