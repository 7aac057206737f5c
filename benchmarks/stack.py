"""Server, service and decoding processes for the length of a run, in a home of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.service_thread import ServiceThread, settings_beside
from thanopg.config import ImageLimits
from thanopg.database.install import install_embedded
from thanopg.database.server import EmbeddedServer
from thanopg.images.pool import DecodePool
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder


@dataclass(frozen=True, kw_only=True)
class Stack:
    server: EmbeddedServer
    url: str
    directory: Path
    library: ModelLibrary
    decoder: DecodePool
    service: ServiceThread


@contextmanager
def running_server() -> Iterator[tuple[EmbeddedServer, Path]]:
    """thanopg is installed in it; the directory, which holds its home, goes with it."""
    directory = Path(tempfile.mkdtemp(prefix="thanopg-benchmark-"))
    directory.chmod(0o711)
    server = EmbeddedServer(directory / "home")
    try:
        server.start()
        install_embedded(server)
        yield server, directory
    finally:
        server.stop()
        shutil.rmtree(directory)


@contextmanager
def running_stack() -> Iterator[Stack]:
    library = ModelLibrary(load=partial(load_embedder, engine="auto"))
    with (
        running_server() as (server, directory),
        DecodePool(2, ImageLimits()) as decoder,
        ServiceThread(settings_beside(server), library, decoder) as service,
    ):
        yield Stack(
            server=server,
            url=server.url,
            directory=directory,
            library=library,
            decoder=decoder,
            service=service,
        )
