"""`thanopg install`: brings a database to the current state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

EPILOG = """\b
Examples:
  thanopg install                                                       the home's own database
  THANOPG_SERVICE_PASSWORD=… thanopg install --service-host 10.0.0.7 \\
      --database-url postgresql://shop:…@db.example/shop
  thanopg install --sql > install.sql                                   for those who may run nothing but psql
"""
WAYS = {
    "native": "queries reach the service through thanopg's own library",
    "dblink": "queries reach the service through the extension dblink",
    "none": "queries have no way to the service yet",
}


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(install)


@with_settings("home", "database_url", "verbose")
def install(
    settings: Settings,
    superuser_url: Annotated[
        str | None, typer.Option(help="The same database as a superuser, for what only one may do.")
    ] = None,
    service_host: Annotated[
        str | None, typer.Option(help="Where the database finds the service: name, address or socket directory.")
    ] = None,
    service_port: Annotated[int, typer.Option(min=1, max=65535, help="Its port.")] = 5433,
    service_user: Annotated[str, typer.Option(help="Its user.")] = "thanopg_service",
    password_file: Annotated[
        Path | None, typer.Option(help="File with that user's password.  [env: THANOPG_SERVICE_PASSWORD]")
    ] = None,
    script: Annotated[bool, typer.Option("--sql", help="Only write a script for psql that does the same.")] = False,
) -> None:
    """Create or upgrade schema thanopg: tables, functions, views, and the service's address.

    One transaction. Doing it again changes nothing; two at once wait for each other.
    """
    import sys

    from thanopg.cli.secret import required, service_password
    from thanopg.database.install import install as install_into
    from thanopg.database.install import install_embedded
    from thanopg.database.server import EmbeddedServer
    from thanopg.database.service_address import ServiceAddress

    if script:
        write_script(service_host, service_port, service_user, unfit=superuser_url or password_file)
        return
    address = None
    if service_host is not None:
        password = required(service_password(password_file))
        address = ServiceAddress(host=service_host, port=service_port, user=service_user, password=password)
    if settings.database_url is not None:
        report = install_into(settings.database_url, service=address, superuser_url=superuser_url)
    else:
        with EmbeddedServer(settings.home) as server:
            report = install_embedded(server, address)
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"installed: schema at revision {report.revision}; {WAYS[report.adapter]}", file=sys.stderr)


def write_script(host: str | None, port: int, user: str, *, unfit: object) -> None:
    import sys

    from thanopg.database.install_script import psql_script
    from thanopg.errors import InvalidArgument

    if unfit is not None:
        raise InvalidArgument(
            "a script connects nowhere and holds no password",
            hint="leave out --superuser-url and --password-file; psql takes THANOPG_SERVICE_PASSWORD",
        )
    sys.stdout.write(psql_script(host, port, user))
