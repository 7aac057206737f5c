"""Models in memory: each loaded once, however many ask for it at the same time, and only so many kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import cast

from thanopg.models.bases import resolve_source
from thanopg.models.embedder import (
    Caption,
    Captioner,
    Embedder,
    ModelInfo,
    Pixels,
    Preprocessing,
    TextEmbeddings,
    Vectors,
    choose_language,
)
from thanopg.models.load import load_embedder

CAPACITY = 4


class LoadedModel:
    """An embedder that any thread may call: calls to one model run one after the other."""

    def __init__(self, embedder: Embedder) -> None:
        self.embedder = embedder
        self._turn = threading.Lock()

    @property
    def info(self) -> ModelInfo:
        return self.embedder.info

    @property
    def preprocessing(self) -> Preprocessing:
        return self.embedder.preprocessing

    @property
    def device(self) -> str:
        """cuda:N, mps or cpu"""
        return str(getattr(self.embedder, "device", "cpu"))

    def embed_texts(self, texts: Sequence[str]) -> TextEmbeddings:
        """n texts → float32 (n, dimensions), L2-normalised."""
        with self._turn:
            return self.embedder.embed_texts(texts)

    def embed_passages(self, texts: Sequence[str]) -> TextEmbeddings:
        """The same for texts that are searched rather than searched with."""
        with self._turn:
            return self.embedder.embed_passages(texts)

    def embed_images(self, pixels: Pixels) -> Vectors:
        """uint8 (n, height, width, 3) → float32 (n, dimensions), L2-normalised."""
        with self._turn:
            return self.embedder.embed_images(pixels)

    @property
    def languages(self) -> tuple[str, ...]:
        """of its captions; none where it writes none"""
        return tuple(getattr(self.embedder, "languages", ()))

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        """uint8 (n, height, width, 3) → n captions. Raises NotSupported where it writes none, InvalidArgument."""
        choose_language(self, language)
        with self._turn:
            captioner = cast(Captioner, self.embedder)
            return captioner.caption_images(pixels, language=language, prompt=prompt, beams=beams)


class ModelLibrary:
    """At most `capacity` models; beyond it the one unused for longest is dropped."""

    def __init__(
        self,
        device: str | None = None,
        load: Callable[..., Embedder] = load_embedder,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        """`load` is called as `load(source, device=device)`."""
        self._device = device
        self._load = load
        self._capacity = capacity
        self._models: OrderedDict[str, Future[LoadedModel]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, source: str) -> LoadedModel:
        """The model of a base name or source, loaded now if it is not here; waits for a load under way.

        Raises what loading raises; a failed load is tried again by the next call.
        """
        canonical = resolve_source(source)
        with self._lock:
            future = self._models.get(canonical)
            mine = future is None
            if future is None:
                future = self._models[canonical] = Future()
            self._models.move_to_end(canonical)
            while len(self._models) > self._capacity:
                self._models.popitem(last=False)
        if mine:
            self._fill(canonical, future)
        return future.result()

    def loaded(self) -> tuple[ModelInfo, ...]:
        """Models ready to answer, the most recently used last."""
        with self._lock:
            futures = tuple(self._models.values())
        return tuple(future.result().info for future in futures if future.done() and future.exception() is None)

    def _fill(self, canonical: str, future: Future[LoadedModel]) -> None:
        try:
            future.set_result(LoadedModel(self._load(canonical, device=self._device)))
        except BaseException as error:
            with self._lock:
                if self._models.get(canonical) is future:
                    del self._models[canonical]
            future.set_exception(error)
