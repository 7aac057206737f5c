"""Who goes on when: clients that have sent more than they are served at once wait in one line for their next turn.

One of them has it in each round of the event loop, however many they are, so that whoever asks little is answered in
the same round that hears it. And as long as there is somebody who asks little, all turns together get but a part of the
time: whatever may have been sent, the others find the loop idle more often than not. Used from one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final

BURST: Final = 0.0003
"""seconds of turns, one in each round, after which there is a pause"""
PAUSE: Final = 4.0
"""times as long as the turns before it"""
REMEMBERED: Final = 10.0
"""seconds for which somebody who was served at once is thought to be there"""


class Turns:
    """A line of callbacks."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._line: deque[Callable[[], None]] = deque()
        self._under_way = False
        self._spent = 0.0
        self._others_left = 0.0

    def wait(self, turn: Callable[[], None]) -> None:
        """`turn` is called when all who wait already have had theirs."""
        self._line.append(turn)
        if not self._under_way:
            self._schedule()

    async def work_off(self, steps: Iterator[object]) -> None:
        """Take one step in every turn. Raises what they raise."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def turn() -> None:
            if done.done():  # cancelled
                return
            try:
                next(steps)
            except StopIteration:
                done.set_result(None)
            except Exception as error:
                done.set_exception(error)
            else:
                self.wait(turn)

        self.wait(turn)
        await done

    def served_at_once(self) -> None:
        """There is somebody who does not wait for turns."""
        self._others_left = self._clock() + REMEMBERED

    def _schedule(self) -> None:
        self._under_way = True
        loop = asyncio.get_running_loop()
        if self._spent < BURST:
            loop.call_soon(self._next)  # the loop listens to everybody before it comes to this
            return
        pause = self._spent * PAUSE if self._clock() < self._others_left else 0.0
        self._spent = 0.0
        loop.call_later(pause, self._next)

    def _next(self) -> None:
        turn = self._line.popleft()
        begin = self._clock()
        try:
            turn()
        finally:
            self._spent += self._clock() - begin
            self._under_way = False
            if self._line:
                self._schedule()
