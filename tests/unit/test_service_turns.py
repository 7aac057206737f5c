"""Turns: one in each round of the loop, in the order of coming, none lost; together they get a part of the time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from thanopg.errors import InvalidArgument
from thanopg.service.turns import Turns


def test_one_turn_in_each_round_and_newcomers_wait_behind() -> None:
    async def scene() -> list[str]:
        turns, said = Turns(), []
        loop = asyncio.get_running_loop()
        rounds = 0

        def count() -> None:
            nonlocal rounds
            rounds += 1
            said.append("|")
            if rounds < 8:
                loop.call_soon(count)

        def again(name: str, times: int) -> None:
            said.append(name)
            if times:
                turns.wait(lambda: again(name, times - 1))

        turns.wait(lambda: again("a", 2))
        turns.wait(lambda: again("b", 1))
        loop.call_soon(count)
        while rounds < 8:
            await asyncio.sleep(0)
        return said

    assert "".join(asyncio.run(scene())) == "a|b|a|b|a||||"


def test_a_turn_that_fails_takes_none_away() -> None:
    async def scene() -> list[str]:
        turns, said = Turns(), []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append("error"))
        turns.wait(lambda: 1 / 0)
        turns.wait(lambda: said.append("after"))
        for _ in range(5):
            await asyncio.sleep(0)
        turns.wait(lambda: said.append("later"))
        for _ in range(5):
            await asyncio.sleep(0)
        return said

    assert asyncio.run(scene()) == ["error", "after", "later"]


class Clock:
    """Seconds pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("somebody_else", [True, False])
def test_after_long_turns_the_others_have_the_loop(somebody_else: bool) -> None:
    async def scene() -> list[str]:
        clock, said = Clock(), []
        turns = Turns(clock)
        if somebody_else:
            turns.served_at_once()

        def long(name: str) -> None:
            said.append(name)
            clock.pass_by(5)

        turns.wait(lambda: long("a"))
        turns.wait(lambda: long("b"))
        for _ in range(20):
            await asyncio.sleep(0)
        return said

    assert asyncio.run(scene()) == (["a"] if somebody_else else ["a", "b"])


def test_work_is_done_step_by_step_between_the_others() -> None:
    async def scene() -> list[str]:
        turns, said = Turns(), []

        def steps(name: str, count: int) -> Iterator[None]:
            for _ in range(count):
                said.append(name)
                yield

        await asyncio.gather(turns.work_off(steps("a", 3)), turns.work_off(steps("b", 2)))
        return said

    assert asyncio.run(scene()) == ["a", "b", "a", "b", "a"]


def test_work_that_fails_or_is_given_up() -> None:
    async def scene() -> None:
        turns = Turns()

        def failing() -> Iterator[None]:
            yield
            raise InvalidArgument("no digits")

        with pytest.raises(InvalidArgument, match="no digits"):
            await turns.work_off(failing())
        taken = 0

        def endless() -> Iterator[None]:
            nonlocal taken
            while True:
                taken += 1
                yield

        task = asyncio.create_task(turns.work_off(endless()))
        while taken < 3:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        before = taken
        await turns.work_off(iter([None] * 3))
        assert taken == before

    asyncio.run(scene())
