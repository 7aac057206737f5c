"""Drafts of large JPEGs change no vector that anybody would notice, and a model that notices does without."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pictures import jpeg, photograph
from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.models.embedder import Pixels, Vectors
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import LoadedModel, ModelLibrary
from thanopg.worker.draft import LARGE, Drafts, with_drafts

LIMITS = ImageLimits()


@pytest.fixture(scope="module")
def catalog() -> LoadedModel:
    return ModelLibrary(device="cpu").get("catalog")


def test_vectors_of_drafts_are_the_same(catalog: LoadedModel) -> None:
    quick = with_drafts(catalog)
    assert quick.draft
    for seed, size in enumerate([(1280, 960), (1200, 1920), (4000, 3000)]):
        picture = jpeg(photograph(*size, seed=seed))
        ways = [decode(picture, way, LIMITS) for way in (catalog.preprocessing, quick)]
        assert not np.array_equal(*ways)
        exact, draft = catalog.embed_images(np.stack(ways))
        assert exact @ draft >= 0.999


def test_only_large_files_are_worth_a_trial() -> None:
    class Unasked(FakeEmbedder):
        def embed_images(self, pixels: Pixels) -> Vectors:
            raise AssertionError("a trial for a small picture")

    model = LoadedModel(Unasked(8))
    assert Drafts(model).choose(LARGE - 1) == model.preprocessing
    with pytest.raises(AssertionError):
        Drafts(model).choose(LARGE)


def test_one_trial_serves_all(catalog: LoadedModel) -> None:
    drafts = Drafts(catalog)
    assert drafts.choose(LARGE) is drafts.choose(LARGE + 1)
    assert drafts.choose(LARGE).draft


def test_a_model_that_sees_the_difference_gets_whole_pictures() -> None:
    model = LoadedModel(FakeEmbedder(8))  # its vectors are of the very pixels
    assert with_drafts(model) == model.preprocessing


def test_a_model_that_gives_no_numbers_gets_whole_pictures() -> None:
    class Broken(FakeEmbedder):
        def embed_images(self, pixels: Pixels) -> Vectors:
            return np.full((len(pixels), 8), np.nan, dtype=np.float32)

    assert not with_drafts(LoadedModel(Broken(8))).draft
