"""The service of a test server, where install said it would be."""

from __future__ import annotations

from benchmarks.service_thread import ServiceThread, settings_beside
from thanopg.database.server import EmbeddedServer
from thanopg.models.library import ModelLibrary


class RunningService(ServiceThread):
    """`with RunningService(server, library, decoder)`."""

    def __init__(self, server: EmbeddedServer, library: ModelLibrary, decoder: object) -> None:
        super().__init__(settings_beside(server), library, decoder)
