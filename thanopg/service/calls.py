"""Answers requests: from the cache at once, else by loading, decoding and a forward pass, within a deadline."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import Future
from time import perf_counter
from typing import Final, Protocol

import numpy as np

from thanopg.config import ImageLimits
from thanopg.errors import (
    DeadlineExceeded,
    FingerprintMismatch,
    ImageError,
    InvalidArgument,
    ThanopgError,
    TooBusy,
)
from thanopg.models.embedder import ModelInfo, Pixels, Preprocessing, check_embeds, choose_language
from thanopg.service.batcher import Batcher
from thanopg.service.cache import CachedVector, VectorCache
from thanopg.service.lexer import Long
from thanopg.service.literal import parse_bytea, unhex
from thanopg.service.metrics import Metrics
from thanopg.service.request import (
    MAX_TEXT,
    Answer,
    CaptionImage,
    DescribeModel,
    EmbedImage,
    EmbedText,
    Image,
    Request,
)
from thanopg.service.shelf import Shelf
from thanopg.service.turns import Turns

NAMES: Final[dict[type, str]] = {
    EmbedText: "embed_text",
    EmbedImage: "embed_image",
    DescribeModel: "describe_model",
    CaptionImage: "caption_image",
}


class Decoder(Protocol):
    """What the service needs of `thanopg.images.pool.DecodePool`."""

    def submit(self, data: bytes | memoryview, preprocessing: Preprocessing) -> Future[Pixels]:
        """The future raises ImageError."""


class Calls:
    """Used from one event loop."""

    def __init__(
        self,
        shelf: Shelf,
        decoder: Decoder,
        batcher: Batcher,
        cache: VectorCache,
        metrics: Metrics,
        turns: Turns,
        *,
        limits: ImageLimits,
        max_decoding: int,
        seconds: float,
    ) -> None:
        self._shelf = shelf
        self._decoder = decoder
        self._batcher = batcher
        self._cache = cache
        self._metrics = metrics
        self._turns = turns
        self._limits = limits
        self._max_decoding = max_decoding
        self._seconds = seconds
        self.decoding = 0

    def at_once(self, request: Request) -> Answer | None:
        """The answer, if it is in the cache."""
        if not isinstance(request, EmbedText):
            return None
        info = self._shelf.known(request.source)
        if info is None or request.fingerprint not in (None, info.fingerprint):
            return None
        found = self._cache.get(info.fingerprint, request.text)
        if found is None:
            return None
        self._metrics.cache_hit()
        return _vector_answer(found, info)

    async def answer(self, request: Request) -> Answer:
        """Raises ThanopgError; DeadlineExceeded after the time limit."""
        begin = perf_counter()
        sqlstate = ThanopgError.sqlstate
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._answer(request)
            sqlstate = "00000"
            return answer
        except TimeoutError:
            sqlstate = DeadlineExceeded.sqlstate
            loading = self._shelf.is_loading(request.source)
            raise DeadlineExceeded(
                f"the call took longer than {self._seconds:g} s",
                hint="the model is still being loaded; try again in a while" if loading else "try again",
            ) from None
        except ThanopgError as error:
            sqlstate = error.sqlstate
            raise
        except asyncio.CancelledError:
            sqlstate = "57014"
            raise
        finally:
            self._metrics.call(NAMES[type(request)], sqlstate, perf_counter() - begin)

    async def _answer(self, request: Request) -> Answer:
        match request:
            case EmbedText():
                return await self._embed_text(request)
            case EmbedImage():
                return await self._embed_image(request)
            case DescribeModel(source):
                model = await self._shelf.get(source)
                described = {**model.info.as_json(), "languages": model.languages, "device": model.device}
                return Answer(json.dumps(described, ensure_ascii=False).encode())
            case CaptionImage():
                return await self._caption_image(request)

    async def _embed_text(self, request: EmbedText) -> Answer:
        if not request.text.strip():
            raise InvalidArgument("the text to embed is empty")
        model = await self._shelf.get(request.source)
        check_embeds(model.info, "texts")
        _check_fingerprint(request.fingerprint, model.info)
        self._metrics.cache_miss()
        vector = await self._batcher.embed_text(model, request.text[:MAX_TEXT])
        if len(request.text) <= MAX_TEXT:
            self._cache.put(model.info.fingerprint, request.text, vector)
        else:
            vector = vector._replace(truncated=True)
        return _vector_answer(vector, model.info)

    async def _embed_image(self, request: EmbedImage) -> Answer:
        model = await self._shelf.get(request.source)
        check_embeds(model.info, "pictures")
        _check_fingerprint(request.fingerprint, model.info)
        pixels = await self._pixels(request.image, model.preprocessing)
        return _vector_answer(await self._batcher.embed_image(model, pixels), model.info)

    async def _caption_image(self, request: CaptionImage) -> Answer:
        model = await self._shelf.get(request.source)
        _check_fingerprint(request.fingerprint, model.info)
        language = choose_language(model, request.language)
        pixels = await self._pixels(request.image, model.preprocessing)
        return Answer((await self._batcher.caption_image(model, pixels, language, request.prompt)).encode())

    async def _pixels(self, image: Image, preprocessing: Preprocessing) -> Pixels:
        if self.decoding >= self._max_decoding:
            raise TooBusy
        self.decoding += 1
        try:
            data = await self._bytes(image)
            return await asyncio.wrap_future(self._decoder.submit(data, preprocessing))
        finally:
            self.decoding -= 1

    async def _bytes(self, image: Image) -> bytes | memoryview:
        if isinstance(image, str):
            image = parse_bytea(image)
        size = (len(image.view) - 2) // 2 if isinstance(image, Long) else len(image)
        if size > self._limits.bytes:
            raise ImageError("too_large", f"the image has {size} bytes, the limit is {self._limits.bytes}")
        if isinstance(image, Long):
            data = np.empty(size, np.uint8).data  # no page of it is touched before it is written
            await self._turns.work_off(unhex(image.view, data))
            return data
        return image


def _check_fingerprint(wanted: str | None, info: ModelInfo) -> None:
    if wanted is not None and wanted != info.fingerprint:
        raise FingerprintMismatch(
            f"expected fingerprint {wanted[:12]}… of {info.source}, the service has {info.fingerprint[:12]}…"
        )


def _vector_answer(vector: CachedVector, info: ModelInfo) -> Answer:
    if not vector.truncated:
        return Answer(vector.literal)
    notice = f"the text is longer than the {info.context_length} tokens of the model; its end was left out"
    return Answer(vector.literal, (notice,))
