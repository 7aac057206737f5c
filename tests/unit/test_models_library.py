"""Each model is loaded once, only so many are kept, and any thread may use them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from thanopg.errors import ModelUnavailable, UnknownModel
from thanopg.models.embedder import Embedder
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder


class Loader:
    """Loads fakes; counts, and waits for `gate` while loading."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False

    def __call__(self, source: str, *, device: str | None = None) -> Embedder:
        self.loads.append(source)
        assert self.gate.wait(30)
        if self.broken:
            raise ModelUnavailable("no weights today")
        return load_embedder(source, device=device)


def test_many_callers_share_one_load() -> None:
    loader = Loader()
    loader.gate.clear()
    library = ModelLibrary(load=loader)
    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(library.get, "fake:8") for _ in range(8)]
        assert library.loaded() == ()
        loader.gate.set()
        models = {id(future.result(timeout=30)) for future in futures}
    assert len(models) == 1
    assert loader.loads == ["fake:8"]
    assert [info.source for info in library.loaded()] == ["fake:8"]


def test_spellings_of_a_source_are_one_model() -> None:
    library = ModelLibrary()
    assert library.get("fake:8") is library.get(" fake:08 ")


def test_the_model_unused_for_longest_is_dropped() -> None:
    loader = Loader()
    library = ModelLibrary(load=loader, capacity=2)
    for source in ("fake:1", "fake:2", "fake:1", "fake:3", "fake:1", "fake:2"):
        assert library.get(source).info.source == source
    assert loader.loads == ["fake:1", "fake:2", "fake:3", "fake:2"]
    assert [info.source for info in library.loaded()] == ["fake:1", "fake:2"]


def test_a_failed_load_is_told_and_tried_again() -> None:
    loader = Loader()
    library = ModelLibrary(load=loader)
    loader.broken = True
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="no weights today"):
            library.get("fake:8")
    assert library.loaded() == ()
    loader.broken = False
    assert library.get("fake:8").info.dimensions == 8
    assert len(loader.loads) == 3


def test_unknown_names_load_nothing() -> None:
    loader = Loader()
    with pytest.raises(UnknownModel):
        ModelLibrary(load=loader).get("nonsense")
    assert loader.loads == []


def test_a_loaded_model_is_an_embedder() -> None:
    model: Embedder = ModelLibrary().get("fake:8")
    assert model.embed_texts(["a", "b"]).vectors.shape == (2, 8)
    pixels = np.zeros((3, model.preprocessing.height, model.preprocessing.width, 3), dtype=np.uint8)
    assert model.embed_images(pixels).shape == (3, 8)
    assert model.embed_texts([]).vectors.shape == (0, 8)
    assert model.embed_images(pixels[:0]).shape == (0, 8)
