"""The service as a process of its own: `python -m tests.acceptance.service_fixtures.process socket_directory`.

Says `ready` on stdout, `entered` when the gated model's pass begins, and opens its gate at a line on stdin.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from tests.acceptance.service_fixtures.running import PASSWORD, USER, GatedEmbedder
from thanopg.config import ImageLimits
from thanopg.images.pool import DecodePool
from thanopg.models.library import ModelLibrary
from thanopg.service.server import serve
from thanopg.service.settings import ServiceSettings


def main() -> None:
    gated = GatedEmbedder()

    def gatekeeper() -> None:
        gated.wait_entered()
        print("entered", flush=True)
        sys.stdin.readline()
        gated.gate.set()

    threading.Thread(target=gatekeeper, daemon=True).start()
    settings = ServiceSettings(user=USER, password=PASSWORD, unix_socket_dir=Path(sys.argv[1]), shutdown_seconds=30)
    with DecodePool(1, ImageLimits()) as pool:
        library = ModelLibrary(load=lambda source, *, device: gated)
        serve(settings, library, pool, ready=lambda server: print("ready", flush=True))


if __name__ == "__main__":
    main()
