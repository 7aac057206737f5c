"""Turns: one in each round of the loop, in the order of coming, and none lost."""

from __future__ import annotations

import asyncio

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
