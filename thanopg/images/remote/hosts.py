"""What is remembered of each host: how many ask it at once, and when it may be asked again.

Every request has a connection of its own: a server that sends more than it announced would otherwise have its surplus
taken for the next row's picture.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from thanopg.images.remote.deadline import Deadline

MOST_HOSTS = 512
LONGEST_PAUSE = 300.0

Origin = tuple[str, str, int]


class Paused(Exception):
    """The host asked for a pause that does not end in time, or too many wait for it."""


@dataclass
class _Host:
    slots: threading.Semaphore
    users: int = 0
    not_before: float = 0.0


class Hosts:
    """Safe for many threads."""

    def __init__(self, *, per_host: int) -> None:
        self._per_host = per_host
        self._lock = threading.Lock()
        self._hosts: OrderedDict[Origin, _Host] = OrderedDict()

    @contextmanager
    def turn(self, origin: Origin, deadline: Deadline) -> Iterator[None]:
        """Waits until this host may be asked. Raises Paused."""
        host = self._enter(origin)
        try:
            pause = host.not_before - time.monotonic()
            if pause > deadline.left:
                raise Paused(f"{origin[1]} asked for a pause of {pause:.0f} s")
            if pause > 0:
                time.sleep(pause)
            if not host.slots.acquire(timeout=deadline.left):
                raise Paused(f"{origin[1]} is being asked for too much else")
            try:
                yield
            finally:
                host.slots.release()
        finally:
            with self._lock:
                host.users -= 1

    def pause(self, origin: Origin, seconds: float) -> None:
        """Nobody asks this host before then."""
        with self._lock:
            host = self._hosts.get(origin)
            if host is not None:
                host.not_before = max(host.not_before, time.monotonic() + min(seconds, LONGEST_PAUSE))

    def _enter(self, origin: Origin) -> _Host:
        with self._lock:
            host = self._hosts.get(origin)
            if host is None:
                host = self._hosts[origin] = _Host(threading.Semaphore(self._per_host))
            self._hosts.move_to_end(origin)
            host.users += 1
            if len(self._hosts) > MOST_HOSTS:
                unused = [old for old, kept in self._hosts.items() if not kept.users]
                for old in unused[: len(self._hosts) - MOST_HOSTS]:
                    del self._hosts[old]
            return host
