"""The embedding service as a process: listeners, connections, shutdown.

One client's fault ends at its own connection. Told to stop, the service finishes the calls under way within a bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import resource
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from thanopg.errors import CallCancelled, InvalidArgument, ServiceStopping
from thanopg.service.authentication import Credentials
from thanopg.service.batcher import Batcher
from thanopg.service.cache import VectorCache
from thanopg.service.calls import Calls, Decoder
from thanopg.service.connection import Connection
from thanopg.service.http import HttpServer
from thanopg.service.listening import listen_tcp, listen_unix, tls_context
from thanopg.service.metrics import Metrics
from thanopg.service.reader import Budget
from thanopg.service.settings import ServiceSettings
from thanopg.service.shelf import Library, Shelf
from thanopg.service.startup import BackendKey
from thanopg.service.turns import Turns

SECRET_BYTES: Final = 4
SPARE_FILES: Final = 256
READ_SIZE: Final = 64 * 1024
"""bytes that are read from one client before others are listened to"""
SWITCH_SECONDS: Final = 0.0005
"""for which a thread that runs Python code may keep the event loop waiting; Python's own is ten times as long"""
"""open files beside the connections"""


class Server:
    """`async with Server(…) as server:` listens, and stops at the end. Raises InvalidArgument, ServiceStartError."""

    def __init__(self, settings: ServiceSettings, library: Library, decoder: Decoder) -> None:
        if not settings.password:
            raise InvalidArgument(
                "the service needs a password", hint="dblink refuses services without one, and so do we"
            )
        self.settings = settings
        self.metrics = Metrics()
        self.budget = Budget(settings.message_budget)
        self.cache = VectorCache(settings.cache_bytes)
        self.shelf = Shelf(library)
        self.batcher = Batcher(
            max_waiting=settings.max_waiting,
            max_batch={"text": settings.max_batch, "image": settings.max_image_batch},
            observe=self.metrics.forward,
        )
        self.turns = Turns()
        self.calls = Calls(
            self.shelf,
            decoder,
            self.batcher,
            self.cache,
            self.metrics,
            self.turns,
            limits=settings.limits,
            max_decoding=settings.max_decoding,
            seconds=settings.call_seconds,
        )
        self.tls, certificate = tls_context(settings.tls_certificate, settings.tls_key)
        self.credentials = Credentials(settings.user, settings.password, certificate=certificate)
        self.scratch = memoryview(bytearray(READ_SIZE))
        self.stopping = False
        self._connections: dict[int, Connection] = {}
        self._logging_in: dict[int, Connection] = {}
        self._listeners: list[asyncio.Server] = []
        self._http: HttpServer | None = None
        self._socket_path: Path | None = None
        self._empty = asyncio.Event()
        self._next_process_id = secrets.randbelow(2**20) + 1
        self._gauges()

    # --- life --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Server:
        try:
            await self._listen()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The TCP port in use, or else the number in the socket's name."""
        for listener in self._listeners:
            for endpoint in listener.sockets:
                if endpoint.family != socket.AF_UNIX:
                    return int(endpoint.getsockname()[1])
        return self.settings.port

    @property
    def http_port(self) -> int | None:
        return self._http.port if self._http is not None else None

    async def preload(self) -> None:
        """Load the models that should be there before the first call. Raises ThanopgError."""
        for source in self.settings.preload:
            await self.shelf.get(source)

    async def stop(self) -> None:
        """No new connections; idle ones are told and closed, busy ones when their call has ended or time is up."""
        self.stopping = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self._connections.values()):
            connection.stop()
        await self._emptied(self.settings.shutdown_seconds)
        for connection in list(self._connections.values()):
            connection.interrupt(ServiceStopping())
        await self._emptied(1.0)
        for connection in list(self._connections.values()):
            connection.abort()
        await self._emptied(1.0)
        if self._http is not None:
            await self._http.stop()
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)
        self.batcher.close(timeout=1.0)

    async def _emptied(self, seconds: float) -> None:
        if self._connections:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), seconds)

    async def _listen(self) -> None:
        settings = self.settings
        if settings.unix_socket_dir is None and settings.host is None:
            raise InvalidArgument("the service has nowhere to listen", hint="give a socket directory or a host")
        if settings.host is not None:
            self._listeners.append(await listen_tcp(self._connection, settings.host, settings.port))
        if settings.unix_socket_dir is not None:
            path = settings.unix_socket_dir / f".s.PGSQL.{self.port}"
            self._listeners.append(await listen_unix(self._connection, path))
            self._socket_path = path
        if settings.http_port is not None:
            self._http = HttpServer(self.metrics.page, self.health)
            await self._http.start(settings.http_host, settings.http_port)

    def _connection(self) -> Connection:
        return Connection(self)

    # --- what connections ask for --------------------------------------------------------------------------------

    def arrived(self, connection: Connection) -> BackendKey:
        key = BackendKey(self._next_process_id, secrets.token_bytes(SECRET_BYTES))
        self._next_process_id = self._next_process_id % (2**31 - 1) + 1
        self._connections[key.process_id] = connection
        self._logging_in[key.process_id] = connection
        if len(self._logging_in) > self.settings.max_logging_in:
            oldest = next(iter(self._logging_in))
            self._logging_in.pop(oldest).abort()
        return key

    def logged_in(self, connection: Connection) -> bool:
        self._logging_in.pop(connection.key.process_id, None)
        return len(self._connections) - len(self._logging_in) <= self.settings.max_connections

    def gone(self, connection: Connection) -> None:
        self._connections.pop(connection.key.process_id, None)
        self._logging_in.pop(connection.key.process_id, None)
        if not self._connections:
            self._empty.set()

    def cancel(self, key: BackendKey) -> None:
        connection = self._connections.get(key.process_id)
        if connection is not None and hmac.compare_digest(connection.key.secret, key.secret):
            connection.interrupt(CallCancelled())

    def failed_login(self) -> None:
        self.metrics.failed_login()

    # --- what people ask for ---------------------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """What /healthz says."""
        return {
            "status": "stopping" if self.stopping else "ok",
            "connections": len(self._connections),
            "waiting": self.batcher.waiting,
            "cached_texts": len(self.cache),
            "models": [info.as_json() for info in self.shelf.loaded()],
        }

    def _gauges(self) -> None:
        gauge = self.metrics.gauge
        gauge("thanopg_connections", "Connections, logged in or not", lambda: len(self._connections))
        gauge("thanopg_waiting", "Texts and images waiting for a model", lambda: self.batcher.waiting)
        gauge("thanopg_decoding", "Images being decoded", lambda: self.calls.decoding)
        gauge("thanopg_cache_bytes", "Size of the cache of query vectors", lambda: self.cache.size)
        gauge("thanopg_cache_entries", "Texts in the cache of query vectors", lambda: len(self.cache))
        gauge("thanopg_models_loaded", "Models in memory", lambda: len(self.shelf.loaded()))


def serve(
    settings: ServiceSettings, library: Library, decoder: Decoder, *, ready: Callable[[Server], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is called once it listens and the preloaded models are in.

    Raises ServiceStartError, InvalidArgument, and what loading a model raises.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    asyncio.run(serve_async(settings, library, decoder, ready=ready))


async def serve_async(
    settings: ServiceSettings, library: Library, decoder: Decoder, *, ready: Callable[[Server], None] | None = None
) -> None:
    """The same inside a running event loop; cancelling it stops the service too."""
    _allow_files(settings.max_connections + settings.max_logging_in + SPARE_FILES)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    with contextlib.suppress(ValueError, RuntimeError):  # not in the main thread: whoever runs us stops us
        for number in signals:
            loop.add_signal_handler(number, stop.set)
    try:
        async with Server(settings, library, decoder) as server:
            if not await _unless(stop, server.preload()):
                return
            if ready is not None:
                ready(server)
            await stop.wait()
    finally:
        with contextlib.suppress(ValueError, RuntimeError):
            for number in signals:
                loop.remove_signal_handler(number)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Has `work` ended before `stop` came? Raises what it raises."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    return False


def _allow_files(wanted: int) -> None:
    """Every connection is an open file, and the usual limit of 1024 is for other programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
