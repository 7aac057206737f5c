"""The decoding process, `python -m thanopg.images.child DESCRIPTOR LIMITS`: pictures from a socket, pixels back.

It is expected to be killed. It bounds its own memory, ends itself when a picture takes too long even if nobody is
left to kill it, and ends when the other side of the socket does. Neither torch nor a database is imported here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path

from PIL import Image

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images import wire
from thanopg.images.decode import decode
from thanopg.models.embedder import Preprocessing

GRACE_SECONDS = 2.0
"""added to the time limit, which the parent enforces, before the child ends itself"""
STATUS = Path("/proc/self/statm")
OUT_OF_MEMORY = ImageError("decoder_died", "decoding it ran out of memory")


def main(descriptor: int, limits: ImageLimits) -> None:
    _load_codecs()
    _bound(limits)
    with socket.socket(fileno=descriptor) as peer, contextlib.suppress(wire.Hangup):
        wire.send(peer, wire.READY)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # C libraries complain about pictures there
        while True:
            _serve_one(peer, limits)


def _serve_one(peer: socket.socket, limits: ImageLimits) -> None:
    preprocessing = Preprocessing(**json.loads(wire.receive(peer, at_most=4096)))
    try:
        data = bytes(wire.receive(peer, at_most=limits.bytes))
        wire.send(peer, wire.GOT_IT)
        signal.setitimer(signal.ITIMER_REAL, limits.seconds + GRACE_SECONDS)  # SIGALRM ends the process
        parts = wire.pack_pixels(decode(data, preprocessing, limits))
        signal.setitimer(signal.ITIMER_REAL, 0)
    except ImageError as error:
        parts = wire.pack_fault(error)
    except MemoryError:
        wire.send(peer, *wire.pack_fault(OUT_OF_MEMORY))
        sys.exit(1)  # what else failed to be allocated is unknown
    except Exception as error:  # a way for a picture to be wrong that nobody thought of
        parts = wire.pack_fault(ImageError("not_an_image", f"the picture can't be used: {error!r:.200}"))
    wire.send(peer, *parts)


def _load_codecs() -> None:
    """All that the first picture would import, before memory is bounded."""
    Image.preinit()
    for plugin in ("TiffImagePlugin", "WebPImagePlugin"):
        importlib.import_module(f"PIL.{plugin}")


def _bound(limits: ImageLimits) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not STATUS.exists():  # elsewhere than on Linux this limit is not kept anyway
        return
    # what interpreter and libraries have mapped, which differs between machines, is not counted
    most = int(STATUS.read_text().split()[0]) * resource.getpagesize() + limits.memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main(int(sys.argv[1]), ImageLimits(**json.loads(sys.argv[2])))
    os._exit(0)
