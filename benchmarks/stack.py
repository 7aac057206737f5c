"""Server, service and decoding processes for the length of a run, in a home of their own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from thanopg.config import ImageLimits
from thanopg.database.install import install_embedded
from thanopg.database.server import EmbeddedServer
from thanopg.images.pool import DecodePool
from thanopg.models.library import ModelLibrary
from thanopg.service.server import Server
from thanopg.service.settings import ServiceSettings

START_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Stack:
    server: EmbeddedServer
    url: str
    directory: Path
    library: ModelLibrary
    decoder: DecodePool


@contextmanager
def running_stack() -> Iterator[Stack]:
    directory = Path(tempfile.mkdtemp(prefix="thanopg-benchmark-"))
    directory.chmod(0o711)
    server = EmbeddedServer(directory / "home")
    library = ModelLibrary()
    try:
        server.start()
        install_embedded(server)
        with DecodePool(2, ImageLimits()) as decoder, _service(server, library, decoder):
            yield Stack(server=server, url=server.url, directory=directory, library=library, decoder=decoder)
    finally:
        server.stop()
        shutil.rmtree(directory)


@contextmanager
def _service(server: EmbeddedServer, library: ModelLibrary, decoder: DecodePool) -> Iterator[None]:
    address = server.service_address
    settings = ServiceSettings(
        user=address.user, password=address.password, unix_socket_dir=server.socket_directory, port=address.port
    )
    ready = threading.Event()
    state: dict[str, object] = {}

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        state["stop"] = lambda: loop.call_soon_threadsafe(stop.set)
        async with Server(settings, library, decoder):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="service", daemon=True)
    thread.start()
    if not ready.wait(START_SECONDS):
        raise TimeoutError("the service did not start")
    try:
        yield
    finally:
        state["stop"]()  # type: ignore[operator]
        thread.join(START_SECONDS)
