"""Blocking work off the event loop, in threads that don't keep the process alive when it is told to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class DaemonThread:
    """One thread that runs what it is given, in order."""

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._work.put((function, future))
        return future

    def close(self, timeout: float) -> None:
        """Ends after the work already given; waits at most `timeout` seconds."""
        self._work.put(None)
        self._thread.join(timeout)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            _perform(*work)
            del work  # a text or a picture is not kept until the next one comes


def in_daemon_thread(function: Callable[[], T], name: str) -> Future[T]:
    """Run once in a thread of its own: for what may take minutes, such as loading a model."""
    future: Future[T] = Future()
    threading.Thread(target=_perform, args=(function, future), name=name, daemon=True).start()
    return future


def _perform(function: Callable[[], Any], future: Future[Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)
