"""Models by the name a caller uses, without ever blocking the event loop: loads run beside it, one per name."""

from __future__ import annotations

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

from thanopg.errors import TooBusy
from thanopg.models.embedder import Captioner, ModelInfo
from thanopg.service.daemon_thread import in_daemon_thread

MAX_NAMES: Final = 256
MAX_LOADING: Final = 8
TOUCH_SECONDS: Final = 1.0
"""how often the library hears that a model is in use, so that it drops others first"""


class Model(Captioner, Protocol):
    @property
    def device(self) -> str: ...


class Library(Protocol):
    """What the service needs of `thanopg.models.library.ModelLibrary`."""

    def get(self, source: str) -> Model:
        """Loads if need be, and blocks meanwhile. Raises ThanopgError."""

    def loaded(self) -> Sequence[ModelInfo]: ...


class Shelf:
    """Used from the event loop alone."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._infos: OrderedDict[str, ModelInfo] = OrderedDict()
        self._models: dict[str, weakref.ref[Model]] = {}
        self._touched: dict[str, float] = {}
        self._loading: dict[str, asyncio.Task[Model]] = {}

    def known(self, source: str) -> ModelInfo | None:
        """What a model that was loaded under this name said of itself."""
        return self._infos.get(source)

    def is_loading(self, source: str) -> bool:
        return source in self._loading and source not in self._infos

    def loaded(self) -> Sequence[ModelInfo]:
        return self._library.loaded()

    async def get(self, source: str) -> Model:
        """The model, loaded now if need be. Cancelling the caller leaves the load going on. Raises ThanopgError."""
        reference = self._models.get(source)
        model = reference() if reference is not None else None
        now = asyncio.get_running_loop().time()
        if model is not None and now - self._touched[source] < TOUCH_SECONDS:
            return model
        task = self._loading.get(source)
        if task is None:
            if len(self._loading) >= MAX_LOADING:
                raise TooBusy("too many models are being loaded")
            task = self._loading[source] = asyncio.create_task(self._load(source))
            task.add_done_callback(partial(self._loaded, source))
        return await asyncio.shield(task)

    async def _load(self, source: str) -> Model:
        return await asyncio.wrap_future(in_daemon_thread(partial(self._library.get, source), "model load"))

    def _loaded(self, source: str, task: asyncio.Task[Model]) -> None:
        del self._loading[source]
        if task.cancelled() or task.exception() is not None:
            self._forget(source)
            return
        model = task.result()
        self._infos[source] = model.info
        self._infos.move_to_end(source)
        self._models[source] = weakref.ref(model)
        self._touched[source] = asyncio.get_running_loop().time()
        while len(self._infos) > MAX_NAMES:
            self._forget(next(iter(self._infos)))

    def _forget(self, source: str) -> None:
        self._infos.pop(source, None)
        self._models.pop(source, None)
        self._touched.pop(source, None)
