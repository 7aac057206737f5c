"""Sockets to listen on, and the errors that say why one can't be had."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thanopg.errors import ServiceStartError

BACKLOG: Final = 1024
"""connections that the kernel keeps until we come to them"""
ACCEPTS_PER_TURN: Final = 1
"""how many of them are let in in one round: a flood must not hold up those who are in"""
MAX_SOCKET_PATH: Final = 107
"""bytes that an address of a Unix socket has room for"""
PROBE_SECONDS: Final = 1.0

Factory = Callable[[], asyncio.BufferedProtocol]


async def listen_tcp(factory: Factory, host: str, port: int) -> asyncio.Server:
    """Raises ServiceStartError."""
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_server(factory, host, port, backlog=ACCEPTS_PER_TURN)
    except OSError as error:
        raise start_error(f"{host} port {port}", error) from error
    _lengthen_queue(listener)
    return listener


async def listen_unix(factory: Factory, path: Path) -> asyncio.Server:
    """A socket that everyone who may enter its directory can use. Raises ServiceStartError."""
    length = len(bytes(path))
    if length > MAX_SOCKET_PATH:
        raise ServiceStartError(
            f"the path of the socket has {length} bytes, {MAX_SOCKET_PATH} is the most: {path}",
            hint="choose a directory with a shorter path",
        )
    if await _answers(path):
        raise ServiceStartError(f"another service is listening on {path}", hint="stop it, or choose another port")
    loop = asyncio.get_running_loop()
    try:
        listener = await loop.create_unix_server(factory, path, backlog=ACCEPTS_PER_TURN)
        _lengthen_queue(listener)
        path.chmod(0o666)
    except OSError as error:
        raise start_error(str(path), error) from error
    return listener


def tls_context(certificate: Path | None, key: Path | None) -> tuple[ssl.SSLContext | None, str | None]:
    """The context, and the certificate's text for channel binding. Raises ServiceStartError."""
    if certificate is None:
        return None, None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        return context, certificate.read_text("ascii")
    except (OSError, ValueError) as error:
        raise ServiceStartError(
            f"could not read the certificate {certificate}", hint="give a PEM certificate and its key"
        ) from error


def start_error(where: str, error: OSError) -> ServiceStartError:
    return ServiceStartError(
        f"could not listen on {where}: {(error.strerror or str(error)).lower()}", hint="choose another address or port"
    )


def _lengthen_queue(listener: asyncio.Server) -> None:
    """asyncio takes one number for the kernel's queue and for its own appetite; these are two things."""
    for endpoint in listener.sockets:
        with socket.socket(fileno=os.dup(endpoint.fileno())) as same:
            same.listen(BACKLOG)


async def _answers(path: Path) -> bool:
    """Does someone listen on this socket? A stale one, left by a killed service, may be replaced."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_unix_connection(path), PROBE_SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
