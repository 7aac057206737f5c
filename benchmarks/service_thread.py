"""The real embedding service in a thread of this process: for benchmarks, and for tests that look inside it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self

from thanopg.database.server import EmbeddedServer
from thanopg.service.connection import Connection  # noqa: F401  (imported before the thread starts)
from thanopg.service.server import Server, serve_async
from thanopg.service.settings import ServiceSettings
from thanopg.service.shelf import Library

SECONDS = 30.0
"""for a start or a stop"""


class ServiceThread:
    """`with ServiceThread(settings, library, decoder) as service:`; may be stopped and started again."""

    server: Server

    def __init__(self, settings: ServiceSettings, library: Library, decoder: object) -> None:
        self.settings = settings
        self._library = library
        self._decoder = decoder
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Listens when this returns. Raises what the service raises."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="service", daemon=True)
        self._thread.start()
        assert ready.wait(SECONDS), "the service did not start"
        if self._error is not None:
            error, self._error = self._error, None
            self.stop()
            raise error

    def stop(self) -> None:
        """In order; a stopped one is fine."""
        if self._thread is None:
            return
        with contextlib.suppress(RuntimeError):  # its loop has ended already
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the service did not stop"
        self._thread = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._serve(ready))
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self._error = error
        finally:
            ready.set()

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task

        def listening(server: Server) -> None:
            self.server = server
            ready.set()

        await serve_async(self.settings, self._library, self._decoder, ready=listening)  # type: ignore[arg-type]


def settings_beside(server: EmbeddedServer) -> ServiceSettings:
    """Where install has told the embedded server that its service is."""
    address = server.service_address
    return ServiceSettings(
        user=address.user, password=address.password, unix_socket_dir=server.socket_directory, port=address.port
    )
