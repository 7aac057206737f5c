"""The batcher with a model whose passes the test lets through one by one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps

import numpy as np
import pytest

from thanopg.errors import ImageError, TooBusy
from thanopg.models.embedder import Caption, Pixels, TextEmbeddings, Vectors
from thanopg.models.fake import FakeEmbedder
from thanopg.service.batcher import Batcher
from thanopg.service.cache import CachedVector
from thanopg.service.literal import vector_literal

PATIENCE = 10.0


def in_loop(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 3 * PATIENCE))

    return run


class Gated(FakeEmbedder):
    """Remembers its batches; waits in the first one until the gate is opened."""

    def __init__(self) -> None:
        super().__init__(4)
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.batches: list[list[str]] = []

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        self.batches.append(list(texts))
        self.entered.set()
        assert self.gate.wait(PATIENCE)
        if "poison" in texts:
            raise RuntimeError("poison")
        return super().embed_texts(texts)

    languages = ("ko", "en")

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        self.batches.append([f"{language} {prompt or ''}".strip()] * len(pixels))
        if any(image.max() == 0 for image in pixels):
            raise RuntimeError("too dark")
        return [Caption(f"{language} {image.max()}") for image in pixels]

    def embed_images(self, pixels: Pixels) -> Vectors:
        vectors = super().embed_images(pixels)
        vectors[[bool(image.max() == 0) for image in pixels]] = np.nan
        return vectors


def batcher(*, max_waiting: int = 100, max_batch: int = 64) -> Batcher:
    return Batcher(
        max_waiting=max_waiting,
        max_batch={"text": max_batch, "image": 2},
        observe=lambda kind, size, seconds: None,
    )


async def occupied(model: Gated, batches: Batcher) -> asyncio.Task[CachedVector]:
    """A task whose pass is under way and will stay so until the gate opens."""
    task = asyncio.create_task(batches.embed_text(model, "first"))
    assert await asyncio.to_thread(model.entered.wait, PATIENCE)
    return task


def expected(text: str) -> CachedVector:
    vectors, truncated = FakeEmbedder(4).embed_texts([text])
    return CachedVector(vector_literal(vectors[0]), truncated[0])


@in_loop
async def test_texts_that_wait_together_run_together() -> None:
    model, batches = Gated(), batcher()
    first = await occupied(model, batches)
    others = [asyncio.create_task(batches.embed_text(model, f"text {number % 8}")) for number in range(16)]
    while batches.waiting < 16:
        await asyncio.sleep(0)
    model.gate.set()
    assert await first == expected("first")
    assert await asyncio.gather(*others) == [expected(f"text {number % 8}") for number in range(16)]
    assert [len(batch) for batch in model.batches] == [1, 8], "equal texts run once"


@in_loop
async def test_a_burst_on_an_idle_model_is_one_batch() -> None:
    model, batches = Gated(), batcher()
    model.gate.set()
    await asyncio.gather(*(batches.embed_text(model, f"text {number}") for number in range(64)))
    assert [len(batch) for batch in model.batches] == [64]


@in_loop
async def test_models_take_turns_and_batches_are_bounded() -> None:
    one, other, batches = Gated(), Gated(), batcher(max_batch=4)
    other.gate.set()
    tasks = [await occupied(one, batches)]
    tasks += [asyncio.create_task(batches.embed_text(one, f"text {number}")) for number in range(8)]
    tasks += [asyncio.create_task(batches.embed_text(other, "mine"))]
    while batches.waiting < 9:
        await asyncio.sleep(0)
    order: list[int] = []
    for index, task in enumerate(tasks):
        task.add_done_callback(lambda _, index=index: order.append(index))
    one.gate.set()
    await asyncio.gather(*tasks)
    assert [len(batch) for batch in one.batches] == [1, 4, 4]
    assert order.index(9) < order.index(8), "the other model came between"


@in_loop
async def test_the_queue_is_bounded_and_the_cancelled_leave_it() -> None:
    model, batches = Gated(), batcher(max_waiting=2)
    first = await occupied(model, batches)
    waiting = [asyncio.create_task(batches.embed_text(model, text)) for text in ("a", "b")]
    while batches.waiting < 2:
        await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await batches.embed_text(model, "c")
    waiting[0].cancel()
    await asyncio.wait(waiting[:1])
    assert batches.waiting == 1
    model.gate.set()
    assert await waiting[1] == expected("b")
    await first
    assert model.batches == [["first"], ["b"]]


@in_loop
async def test_cancelling_what_runs_harms_nobody() -> None:
    model, batches = Gated(), batcher()
    first = await occupied(model, batches)
    first.cancel()
    second = asyncio.create_task(batches.embed_text(model, "second"))
    await asyncio.wait([first])
    model.gate.set()
    assert await second == expected("second")


@in_loop
async def test_one_bad_text_fails_alone() -> None:
    model, batches = Gated(), batcher()
    model.gate.set()
    texts = ["a", "b", "poison", "c", "d"]
    found = await asyncio.gather(*(batches.embed_text(model, text) for text in texts), return_exceptions=True)
    assert [type(one) for one in found] == [CachedVector, CachedVector, RuntimeError, CachedVector, CachedVector]


@in_loop
async def test_a_vector_that_is_not_finite_is_an_error_of_its_image() -> None:
    model, batches = Gated(), batcher()
    white, black = np.full((32, 32, 3), 255, np.uint8), np.zeros((32, 32, 3), np.uint8)
    found = await asyncio.gather(
        batches.embed_image(model, white), batches.embed_image(model, black), return_exceptions=True
    )
    assert isinstance(found[0], CachedVector)
    assert isinstance(found[1], ImageError) and found[1].fault == "not_finite"


@in_loop
async def test_captions_in_several_languages_and_one_bad_picture() -> None:
    model, batches = Gated(), batcher()
    pictures = [np.full((32, 32, 3), shade, np.uint8) for shade in (1, 2, 0, 3)]
    asked = zip(pictures, ("ko", "en", "en", "ko"), strict=True)
    found = await asyncio.gather(
        *(batches.caption_image(model, picture, language) for picture, language in asked), return_exceptions=True
    )
    assert found[:2] == ["ko 1", "en 2"] and isinstance(found[2], RuntimeError) and found[3] == "ko 3"
    assert model.batches[:2] == [["ko"], ["en"]], "a pass has one language"


@in_loop
async def test_captions_of_one_prompt_run_together() -> None:
    model, batches = Gated(), batcher()
    white = np.full((32, 32, 3), 255, np.uint8)
    for prompts in (["색깔은?", None], ["색깔은?", "색깔은?"]):
        await asyncio.gather(*(batches.caption_image(model, white, "ko", prompt) for prompt in prompts))
    assert model.batches == [["ko 색깔은?"], ["ko"], ["ko 색깔은?"] * 2]
