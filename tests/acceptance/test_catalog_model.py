"""The committed weights on a recorded sample: do the wordings that training never had find the right pictures.

The full measure, with its chance level, is `python -m thanopg.catalog evaluate`.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thanopg.catalog.catalogue import read_csv, write_catalogue
from thanopg.catalog.dice import dice
from thanopg.catalog.phrases import LANGUAGES, Wording
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES
from thanopg.catalog.training.measure import embed_pictures, precision
from thanopg.catalog.training.typos import mistype
from thanopg.models.bundled import BUNDLED_DIRECTORY, read_bundled_info
from thanopg.models.embedder import Embedder, Vectors
from thanopg.models.load import load_embedder

BAR, SLIP_BAR = 0.92, 0.86
LARGEST = 12_000_000
QUERIES = Path(__file__).with_name("catalog_queries.json")
"""wordings held out of training, recorded with what they name; answered by the sample five times at least"""
SAMPLE, SEED = 700, 31


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue")
    write_catalogue(path, SAMPLE, SEED)
    return path


@pytest.fixture(scope="module")
def products(directory: Path) -> list[Product]:
    return read_csv(directory / "products.csv")


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder("bundled:catalog", device="cpu")


@pytest.fixture(scope="module")
def pictures(embedder: Embedder, directory: Path, products: list[Product]) -> Vectors:
    return embed_pictures(embedder, directory, products)


@pytest.mark.parametrize("language", LANGUAGES)
def test_unseen_wordings_find_pictures_that_show_all_they_name(
    embedder: Embedder, pictures: Vectors, products: list[Product], language: str
) -> None:
    recorded = [Wording(**query) for query in json.loads(QUERIES.read_text("utf-8")) if query["language"] == language]
    assert len(recorded) >= 60
    texts = embedder.embed_texts([wording.text for wording in recorded]).vectors
    assert precision(texts, pictures, recorded, products) >= BAR


def test_the_first_five_for_the_examples_are_right(
    embedder: Embedder, pictures: Vectors, products: list[Product]
) -> None:
    """Four of five for each, and nineteen of twenty over all."""
    texts = embedder.embed_texts([example.text for example in EXAMPLES]).vectors
    right = {}
    for example, text in zip(EXAMPLES, texts, strict=True):
        first = [products[i] for i in np.argsort(-(pictures @ text))[:5]]
        right[example.text] = sum(product.shows(example.named) for product in first)
    assert min(right.values()) >= 4, right
    assert sum(right.values()) >= 0.95 * 5 * len(EXAMPLES), right


def test_chance_finds_nothing(pictures: Vectors, products: list[Product]) -> None:
    recorded = [Wording(**query) for query in json.loads(QUERIES.read_text("utf-8"))]
    noise = np.random.default_rng(0).standard_normal((len(recorded), pictures.shape[1])).astype(np.float32)
    assert precision(noise, pictures, recorded, products) < 0.1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_slip_of_the_finger_does_little(
    embedder: Embedder, pictures: Vectors, products: list[Product], language: str
) -> None:
    recorded = [Wording(**query) for query in json.loads(QUERIES.read_text("utf-8")) if query["language"] == language]
    random = dice("slips")
    texts = embedder.embed_texts([mistype(wording.text, random) for wording in recorded]).vectors
    assert precision(texts, pictures, recorded, products) >= SLIP_BAR


def test_spaces_and_capitals_are_no_matter(embedder: Embedder) -> None:
    for one, other in (
        ("빨간색 원피스", "빨간색원피스"),
        ("Blue Dress", "blue dress"),
        ("white sneakers", "whitesneakers"),
    ):
        first, second = embedder.embed_texts([one, other]).vectors
        assert first @ second > 0.9, other


def test_the_description_is_that_of_the_weights(embedder: Embedder) -> None:
    assert read_bundled_info() == embedder.info


def test_the_model_is_small() -> None:
    assert sum(file.stat().st_size for file in BUNDLED_DIRECTORY.iterdir()) <= LARGEST


def test_plain_open_clip_loads_it() -> None:
    program = f"""
from thanopg.models.torchvision_shim import import_torchvision
import_torchvision()
import open_clip, torch
source = "local-dir:{BUNDLED_DIRECTORY}"
model, _, preprocess = open_clip.create_model_and_transforms(source)
ids = open_clip.get_tokenizer(source)(["밝은 빨간색 미니 원피스", "a red dress"])
print(tuple(model.eval().encode_text(ids).shape))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.stdout.strip() == f"(2, {read_bundled_info().dimensions})", done.stderr


def test_any_pictures_with_texts_train_a_model_and_a_killed_run_goes_on(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "shop", 24, 5, processes=1)
    pairs = tmp_path / "shop" / "pairs.csv"
    with pairs.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["picture", "text"])
        rows.writerows([p.image_path, p.caption_en] for p in read_csv(tmp_path / "shop" / "products.csv"))
    command = [sys.executable, "-m", "thanopg.catalog", "train", "--pairs", str(pairs), "--image-column", "picture"]
    command += ["--text-column", "text", "--output", str(tmp_path / "model"), "--work", str(tmp_path / "work")]
    command += ["--batch", "12", "--side", "32", "--device", "cpu", "--threads", "1"]
    first = subprocess.run([*command, "--epochs", "1"], capture_output=True, text=True, timeout=120)
    assert first.returncode == 0, first.stderr
    assert "epoch 1/1" in first.stderr
    second = subprocess.run([*command, "--epochs", "2"], capture_output=True, text=True, timeout=120)
    assert "going on after epoch 1" in second.stderr
    assert "epoch 2/2" in second.stderr
    assert load_embedder(f"local-dir:{tmp_path / 'model'}", device="cpu").info.dimensions == 128
