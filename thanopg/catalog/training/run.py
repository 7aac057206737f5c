"""The commands' work: train the bundled model, measure one, make one with random weights."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from thanopg.catalog import phrases
from thanopg.catalog.catalogue import make_products, read_csv, write_catalogue
from thanopg.catalog.dice import dice
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES, evaluation_queries
from thanopg.catalog.training.data import CatalogueDataset, Dataset, drawn_dataset
from thanopg.catalog.training.measure import Report, evaluate, precision
from thanopg.catalog.training.model import (
    CONTEXT_LENGTH,
    VOCABULARY,
    configuration,
    image_vectors,
    make_model,
    save_model,
    scaled,
    text_vectors,
)
from thanopg.catalog.training.tokens import encode, learn_tokenizer
from thanopg.catalog.training.train import Plan, Training
from thanopg.models.load import load_embedder

TRAINING_SEED, VALIDATION_SEED, TEST_SEED = 1, 2, 20_261_125
"""the last is for the figures of the model card alone: whatever is chosen, is chosen by the validation's"""
_TEXTS_FOR_TOKENS = 60_000


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def train_catalogue(
    destination: Path, work: Path, *, pictures: int, side: int, plan: Plan, device: torch.device, processes: int
) -> float:
    """Draws, learns a tokenizer, trains, saves. Returns the validation measure."""
    say(f"drawing {pictures} pictures")
    drawing = {"side": side, "cache": work, "processes": processes}
    dataset = drawn_dataset(
        pictures,
        TRAINING_SEED,
        only_taught=True,
        progress=lambda done: say(f"  {done}/{pictures}"),
        **drawing,  # type: ignore[arg-type]
    )
    validation = drawn_dataset(1000, VALIDATION_SEED, only_taught=False, **drawing)  # type: ignore[arg-type]
    tokenizer = learn_tokenizer(_sentences(dataset.products), vocabulary=VOCABULARY, context_length=CONTEXT_LENGTH)
    config = configuration(side=side)
    training = Training(dataset, tokenizer, config, plan, device=device, checkpoint=work / "checkpoint.pt", tell=say)
    size = sum(parameter.numel() for parameter in training.model.parameters())
    say(f"{size / 1e6:.2f} M parameters, {training.tokenizer.get_vocab_size()} tokens")
    score = training.run(Validation(validation, device), destination)
    write_info(destination)
    return score


def train_pairs(
    dataset: Dataset,
    texts: Sequence[str],
    destination: Path,
    work: Path,
    *,
    plan: Plan,
    device: torch.device,
) -> float:
    """The same for any pictures with texts; what is validated is that a text finds its own picture."""
    tokenizer = learn_tokenizer(texts, vocabulary=VOCABULARY, context_length=CONTEXT_LENGTH)
    config = configuration(side=dataset.pixels.shape[1])
    training = Training(dataset, tokenizer, config, plan, device=device, checkpoint=work / "checkpoint.pt", tell=say)
    return training.run(Recall(dataset, device), destination)


class Validation:
    """The share of right pictures among the first five, over both languages."""

    def __init__(self, dataset: CatalogueDataset, device: torch.device) -> None:
        self._dataset, self._device = dataset, device
        products = dataset.products
        self._wordings = [
            wording
            for language in phrases.LANGUAGES
            for wording in evaluation_queries(products, language, 150, VALIDATION_SEED, unseen=False)
        ]

    def __call__(self, model: Any, tokenizer: Tokenizer) -> float:
        pictures = _picture_vectors(model, self._dataset.pixels, self._device)
        with torch.inference_mode():
            ids = torch.from_numpy(encode(tokenizer, [w.text for w in self._wordings])).to(self._device)
            texts = text_vectors(model, ids).cpu().numpy()
        return precision(texts, pictures, self._wordings, self._dataset.products)


class Recall:
    """The share of texts whose own picture is the first, among at most 1,000."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self._pixels = dataset.pixels[:1000]
        self._lesson = dataset.lesson(range(len(self._pixels)), dice("recall"))
        self._device = device

    def __call__(self, model: Any, tokenizer: Tokenizer) -> float:
        pictures = _picture_vectors(model, self._pixels, self._device)
        with torch.inference_mode():
            ids = torch.from_numpy(encode(tokenizer, self._lesson.texts)).to(self._device)
            texts = text_vectors(model, ids).cpu().numpy()
        best = (texts @ pictures.T).argmax(axis=1)
        return float(np.mean(self._lesson.truth[np.arange(len(best)), best]))


def evaluate_source(
    source: str, work: Path, *, pictures: int, wordings: int, processes: int, random_weights: bool
) -> Report:
    """Measures a model on pictures of the test seed, which are written under `work` once."""
    directory, products = unseen_pictures(work, pictures, processes=processes)
    if random_weights:
        make_random(work / "random", VALIDATION_SEED)
        source = f"local-dir:{(work / 'random').absolute()}"
    return evaluate(load_embedder(source), directory, products, wordings=wordings, seed=TEST_SEED)


def unseen_pictures(work: Path, count: int, *, processes: int) -> tuple[Path, list[Product]]:
    """Products of the test seed and the directory of their pictures, which are written under `work` once."""
    directory = work / f"test-{count}"
    if (directory / "products.csv").exists() and read_csv(directory / "products.csv") == make_products(
        count, TEST_SEED
    ):
        return directory, read_csv(directory / "products.csv")
    say(f"writing {count} pictures")
    return directory, write_catalogue(directory, count, TEST_SEED, processes=processes, popular=False)


def make_random(directory: Path, seed: int, *, side: int = 64) -> None:
    """A model of the same shape that has learned nothing."""
    torch.manual_seed(seed)
    tokenizer = learn_tokenizer(
        _sentences(make_products(500, seed)), vocabulary=VOCABULARY, context_length=CONTEXT_LENGTH
    )
    config = configuration(side=side, vocabulary=tokenizer.get_vocab_size())
    save_model(make_model(config), config, tokenizer, directory)


def write_info(directory: Path, *, source: str = "bundled:catalog") -> None:
    """`thanopg.json`: what is known of the model without loading it."""
    info = load_embedder(f"local-dir:{directory.absolute()}", device="cpu", precision="fp32").info
    text = json.dumps(replace(info, source=source).as_json(), indent=2)
    (directory / "thanopg.json").write_text(text + "\n", encoding="utf-8")


def _picture_vectors(model: Any, pixels: np.ndarray[Any, np.dtype[np.uint8]], device: torch.device) -> Any:
    with torch.inference_mode():
        parts = [image_vectors(model, scaled(pixels[i : i + 128], device)) for i in range(0, len(pixels), 128)]
        return torch.cat(parts).cpu().numpy()


def _sentences(products: Sequence[Product]) -> Iterator[str]:
    random = dice("sentences")
    yield from (example.text for example in EXAMPLES)
    for i in range(_TEXTS_FOR_TOKENS):
        attributes = products[i % len(products)].attributes
        for language in phrases.LANGUAGES:
            say_it = phrases.query if i % 3 else phrases.caption
            yield say_it(attributes, language, random).text
