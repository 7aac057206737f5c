"""`thanopg serve`: the embedding service, in front, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from thanopg.cli.options import EngineOption, with_settings
from thanopg.cli.supervised import UntilStdinCloses, end_with_stdin
from thanopg.config import Settings, command_for

if TYPE_CHECKING:
    from thanopg.models.library import ModelLibrary
    from thanopg.service.server import Server
    from thanopg.service.settings import ServiceSettings

EPILOG = """\b
Examples:
  thanopg serve                                            beside the home's server, on its socket
  THANOPG_SERVICE_PASSWORD=… thanopg serve --host 0.0.0.0 --http-port 9433
  thanopg serve --host 127.0.0.1 --password-file pw --preload siglip2
"""
logger = logging.getLogger(__name__)


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(serve)


@with_settings("home", "device", "verbose")
def serve(
    settings: Settings,
    host: Annotated[
        str | None, typer.Option(help="Listen on this address; default: only on the home's socket.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port, or the number in the socket's name.")] = 5433,
    socket_directory: Annotated[Path | None, typer.Option(help="Listen on a socket in this directory as well.")] = None,
    user: Annotated[str, typer.Option(help="The one user that may log in.")] = "thanopg_service",
    password_file: Annotated[
        Path | None, typer.Option(help="File with that user's password.  [env: THANOPG_SERVICE_PASSWORD]")
    ] = None,
    http_port: Annotated[int | None, typer.Option(min=0, max=65535, help="/metrics and /healthz.")] = None,
    http_host: Annotated[str, typer.Option(help="Address of --http-port.")] = "127.0.0.1",
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM certificate: offer TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    preload: Annotated[list[str] | None, typer.Option(help="Base or source to load at once; may be repeated.")] = None,
    engine: EngineOption = "auto",
    until_stdin_closes: UntilStdinCloses = False,
) -> None:
    """Answer embedding calls: SELECT embed_text('a red dress', 'catalog').

    It speaks the PostgreSQL protocol, so that psql can call it too. Stateless: run as many as you want.
    """
    from dataclasses import replace

    from thanopg.cli.secret import required, service_password
    from thanopg.service.settings import ServiceSettings

    password = service_password(password_file)
    service = ServiceSettings(
        user=user,
        password=password or "",
        host=host,
        port=port,
        unix_socket_dir=socket_directory,
        http_host=http_host,
        http_port=http_port,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        limits=settings.limits,
    )
    if host is None and socket_directory is None:
        from thanopg.database.server import EmbeddedServer
        from thanopg.errors import InvalidArgument

        server = EmbeddedServer(settings.home)
        if not server.home.secrets.exists():
            raise InvalidArgument(
                f"there is no home in {settings.home} beside whose server to listen",
                hint=f"make one with: {command_for(settings.home, 'up')}; or listen elsewhere: --host 127.0.0.1",
            )
        address = server.service_address
        service = replace(service, unix_socket_dir=Path(address.host), user=address.user, password=address.password)
    else:
        required(password)
    if until_stdin_closes:
        end_with_stdin()
    run(settings, service, preload or [], engine)


def run(settings: Settings, service: ServiceSettings, preload: list[str], engine: str) -> None:
    from functools import partial

    from thanopg.images.pool import DecodePool
    from thanopg.images.processors import processors
    from thanopg.models.library import ModelLibrary
    from thanopg.models.load import load_embedder
    from thanopg.service.server import serve as serve_until_told

    library = ModelLibrary(settings.device, partial(load_embedder, engine=engine))

    def ready(server: Server) -> None:
        places = [str(service.unix_socket_dir)] if service.unix_socket_dir else []
        places += [f"{service.host} port {server.port}"] if service.host else []
        print(f"listening on {' and '.join(places)}", file=sys.stderr, flush=True)
        if server.http_port is not None:
            print(f"http://{service.http_host}:{server.http_port}/metrics", file=sys.stderr, flush=True)
        warm_up(library, preload)

    with DecodePool(min(4, processors()), service.limits) as decoder:
        serve_until_told(service, library, decoder, ready=ready)


def warm_up(library: ModelLibrary, sources: list[str]) -> None:
    """Load models while the service answers already; one that can't be loaded is said and does no harm."""

    def load() -> None:
        for source in sources:
            try:
                library.get(source)
            except Exception as error:
                logger.error("could not load %s: %s", source, error)

    threading.Thread(target=load, name="preload", daemon=True).start()
