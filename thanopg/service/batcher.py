"""Forward passes: texts that wait together run together, one that is alone does not wait.

One thread runs all models, so neither the event loop nor another pass is ever in its way. While it is busy jobs
collect in lanes, one per model and kind, served in turn. The queue is bounded; a cancelled job leaves it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, Literal, cast

import numpy as np

from thanopg.errors import ImageError, ThanopgError, TooBusy
from thanopg.models.attributes import storable
from thanopg.models.embedder import Captioner, Embedder, Pixels, Vectors
from thanopg.service.cache import CachedVector
from thanopg.service.daemon_thread import DaemonThread
from thanopg.service.literal import vector_literal

Kind = Literal["text", "image", "caption"]
Outcome = CachedVector | str | Exception
Observer = Callable[[Kind, int, float], None]
"""told of every pass: kind, size of the batch, seconds"""


@dataclass(slots=True, eq=False)
class _Job:
    content: Any
    future: asyncio.Future[Any]
    """a CachedVector, or a caption"""


@dataclass(slots=True)
class _Lane:
    model: Embedder
    kind: Kind
    jobs: deque[_Job] = field(default_factory=deque)


class Batcher:
    """Used from one event loop."""

    def __init__(
        self, *, max_waiting: int, max_batch: Mapping[Literal["text", "image"], int], observe: Observer
    ) -> None:
        """`max_batch`: of texts, and of images, whether they become vectors or captions."""
        self._max_waiting = max_waiting
        self._max_batch = max_batch
        self._observe = observe
        self._thread = DaemonThread("model")
        self._lanes: OrderedDict[tuple[int, Kind], _Lane] = OrderedDict()
        self._running = False
        self._scheduled = False
        self.waiting = 0

    def close(self, timeout: float) -> None:
        self._thread.close(timeout)

    async def embed_text(self, model: Embedder, text: str) -> CachedVector:
        """Raises TooBusy, and what the model raises."""
        vector: CachedVector = await self._wait(model, "text", text)
        return vector

    async def embed_image(self, model: Embedder, pixels: Pixels) -> CachedVector:
        """`pixels`: uint8 (height, width, 3). Raises TooBusy, ImageError, and what the model raises."""
        vector: CachedVector = await self._wait(model, "image", pixels)
        return vector

    async def caption_image(self, model: Captioner, pixels: Pixels, language: str, prompt: str | None = None) -> str:
        """`pixels`: uint8 (height, width, 3). Raises TooBusy, and what the model raises."""
        caption: str = await self._wait(model, "caption", (pixels, language, prompt))
        return caption

    async def _wait(self, model: Embedder, kind: Kind, content: object) -> Any:
        if self.waiting >= self._max_waiting:
            raise TooBusy
        loop = asyncio.get_running_loop()
        job = _Job(content, loop.create_future())
        lane = self._lanes.setdefault((id(model), kind), _Lane(model, kind))
        lane.jobs.append(job)
        self.waiting += 1
        if not (self._running or self._scheduled):
            self._scheduled = True
            loop.call_soon(self._begin)  # so that what arrives in this turn of the loop goes along
        try:
            return await job.future
        except asyncio.CancelledError:
            if job in lane.jobs:
                lane.jobs.remove(job)
                self.waiting -= 1
            raise

    def _begin(self) -> None:
        self._scheduled = False
        while not self._running and self._lanes:
            key, lane = self._lanes.popitem(last=False)
            largest = self._max_batch["text" if lane.kind == "text" else "image"]
            jobs = [lane.jobs.popleft() for _ in range(min(largest, len(lane.jobs)))]
            self.waiting -= len(jobs)
            if lane.jobs:
                self._lanes[key] = lane  # to the end of the line
            if jobs:
                self._running = True
                work = self._thread.submit(partial(_run, lane.model, lane.kind, [job.content for job in jobs]))
                asyncio.wrap_future(work).add_done_callback(partial(self._finish, lane.kind, jobs))

    def _finish(self, kind: Kind, jobs: list[_Job], done: asyncio.Future[tuple[list[Outcome], float]]) -> None:
        self._running = False
        outcomes, seconds = done.result()
        self._observe(kind, len(jobs), seconds)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.future.done():
                continue
            if isinstance(outcome, Exception):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        self._begin()


# --- in the model's thread --------------------------------------------------------------------------------


def _run(model: Embedder, kind: Kind, contents: list[Any]) -> tuple[list[Outcome], float]:
    begin = perf_counter()
    if kind == "image":
        outcomes = _embed(partial(_images, model), contents)
    elif kind == "caption":
        outcomes = _embed(partial(_captions, cast(Captioner, model)), contents)
    else:
        unique = list(dict.fromkeys(contents))
        found = dict(zip(unique, _embed(partial(_texts, model), unique), strict=True))
        outcomes = [found[text] for text in contents]
    return outcomes, perf_counter() - begin


def _embed(embed: Callable[[Sequence[Any]], list[Outcome]], contents: Sequence[Any]) -> list[Outcome]:
    """A batch that fails is halved until the culprit is alone, so that it harms nobody else."""
    try:
        return embed(contents)
    except Exception as error:
        if len(contents) == 1:
            return [error]
        middle = len(contents) // 2
        return _embed(embed, contents[:middle]) + _embed(embed, contents[middle:])


def _texts(model: Embedder, texts: Sequence[str]) -> list[Outcome]:
    vectors, truncated = model.embed_texts(texts)
    sound = _sound(vectors, len(texts), model)
    return [
        CachedVector(vector_literal(vector), cut)
        if fine
        else ThanopgError("the model gave no finite vector for the text")
        for vector, cut, fine in zip(vectors, truncated, sound, strict=True)
    ]


def _images(model: Embedder, pixels: Sequence[Pixels]) -> list[Outcome]:
    vectors = model.embed_images(np.stack(pixels))
    sound = _sound(vectors, len(pixels), model)
    return [
        CachedVector(vector_literal(vector), False)
        if fine
        else ImageError("not_finite", "the model gave no finite vector for the image")
        for vector, fine in zip(vectors, sound, strict=True)
    ]


def _captions(model: Captioner, contents: Sequence[tuple[Pixels, str, str | None]]) -> list[Outcome]:
    outcomes: list[Outcome] = [""] * len(contents)
    for language, prompt in dict.fromkeys(content[1:] for content in contents):
        chosen = [index for index, content in enumerate(contents) if content[1:] == (language, prompt)]
        pixels = np.stack([contents[index][0] for index in chosen])
        captions = model.caption_images(pixels, language=language, prompt=prompt)
        for index, caption in zip(chosen, captions, strict=True):
            outcomes[index] = storable(caption.text)
    return outcomes


def _sound(vectors: Vectors, count: int, model: Embedder) -> list[bool]:
    expected = (count, model.info.dimensions)
    if vectors.shape != expected:
        raise ThanopgError(f"expected vectors of shape {expected}, not {vectors.shape}")
    sound: list[bool] = np.logical_and(np.isfinite(vectors).all(axis=1), vectors.any(axis=1)).tolist()
    return sound
