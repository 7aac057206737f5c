"""The real service in a thread of the test process, which can be stopped and started again."""

from __future__ import annotations

import asyncio
import threading

from thanopg.database.server import EmbeddedServer
from thanopg.models.library import ModelLibrary
from thanopg.service.connection import Connection  # noqa: F401  (the protocol is imported before the thread starts)
from thanopg.service.server import Server
from thanopg.service.settings import ServiceSettings

START_SECONDS = 20


class RunningService:
    """`with RunningService(server, decoder)`: beside the embedded server, where install said it would be."""

    def __init__(self, server: EmbeddedServer, library: ModelLibrary, decoder: object) -> None:
        address = server.service_address
        self.settings = ServiceSettings(
            user=address.user, password=address.password, unix_socket_dir=server.socket_directory, port=address.port
        )
        self.library = library
        self.decoder = decoder
        self.server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="service", daemon=True)
        self._thread.start()
        assert ready.wait(START_SECONDS), "the service did not start"

    def stop(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_SECONDS)
            assert not self._thread.is_alive()
            self._thread = None

    async def _serve(self, ready: threading.Event) -> None:
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with Server(self.settings, self.library, self.decoder) as self.server:  # type: ignore[arg-type]
            ready.set()
            await self._stop.wait()

    def __enter__(self) -> RunningService:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
