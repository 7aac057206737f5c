"""Who goes on when: clients that have sent more than they are served at once wait in one line for their next turn.

One of them has it in each round of the event loop, however many they are, so that whoever asks little is answered in
the same round that hears it. Used from one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class Turns:
    """A line of callbacks."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._line: deque[Callable[[], None]] = deque()

    def wait(self, turn: Callable[[], None]) -> None:
        """`turn` is called when all who wait already have had theirs."""
        self._line.append(turn)
        if len(self._line) == 1:
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        turn = self._line.popleft()
        if self._line:
            self._loop.call_soon(self._next)  # the loop listens to everybody before it comes to this
        turn()
