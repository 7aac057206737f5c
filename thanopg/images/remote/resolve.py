"""Names become addresses, in bounded time."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Sequence

Resolve = Callable[[str, int, float], Sequence[str]]
"""(host, port, seconds) → numeric addresses, best first. Raises OSError, TimeoutError."""


def resolve_name(host: str, port: int, seconds: float) -> Sequence[str]:
    """As the system does it. Its own function knows no time limit, so it runs in a thread that may be left behind."""
    answer: queue.Queue[list[str] | OSError] = queue.Queue(1)

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except OSError as error:
            answer.put(error)
        except UnicodeError as error:  # a name that no resolver takes
            answer.put(OSError(str(error)))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        outcome = answer.get(timeout=seconds)
    except queue.Empty as error:
        raise TimeoutError(f"no answer for {host}") from error
    if isinstance(outcome, OSError):
        raise outcome
    return outcome
