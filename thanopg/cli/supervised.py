"""A child of the stack ends with it: its standard input is a pipe that only the supervisor holds open."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import Annotated

import typer

PATIENCE_SECONDS = 30.0
STANDARD_INPUT = 0
UntilStdinCloses = Annotated[
    bool, typer.Option("--until-stdin-closes", hidden=True, help="End when standard input does.")
]


def end_with_stdin() -> None:
    """Asks this process to stop when standard input ends; makes sure of it some time later.

    It reads the descriptor: Python could not end while a thread waits within the buffered object.
    """

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(STANDARD_INPUT, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, name="until stdin closes", daemon=True).start()
