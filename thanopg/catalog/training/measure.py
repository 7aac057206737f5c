"""How well texts find pictures: plain functions of vectors, and the report that the command prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thanopg.catalog import phrases
from thanopg.catalog.attributes import CATEGORIES, held_out
from thanopg.catalog.dice import dice
from thanopg.catalog.phrases import LANGUAGES, Wording
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES, evaluation_queries
from thanopg.catalog.training.data import fit
from thanopg.models.embedder import Embedder, Vectors

FIRST = 5
HELD_OUT = frozenset((c.name, colour) for c in CATEGORIES.values() for colour in c.colours if held_out(c.name, colour))


@dataclass(frozen=True, kw_only=True)
class Report:
    """Shares between 0 and 1, by language."""

    first_5: dict[str, float] = field(default_factory=dict)
    """of the first 5 pictures, the share with every drawn attribute named; unseen pictures, unseen wordings"""
    queries: dict[str, int] = field(default_factory=dict)
    first_5_held_out: dict[str, float] = field(default_factory=dict)
    """the same for pairs of category and colour that training never draws"""
    caption_r1: dict[str, float] = field(default_factory=dict)
    """full captions among 1,000 pictures: the caption's own picture is first"""
    caption_r10: dict[str, float] = field(default_factory=dict)
    caption_true_1: dict[str, float] = field(default_factory=dict)
    """the first picture is one that the caption is true of"""
    examples: dict[str, float] = field(default_factory=dict)
    """the first 5 of each example query that at least 5 pictures answer"""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def precision(texts: Vectors, pictures: Vectors, wordings: Sequence[Wording], products: Sequence[Product]) -> float:
    """Of the first 5 pictures for each text, the share that shows everything named."""
    shown = [product.attributes for product in products]
    nearest = np.argsort(-(texts @ pictures.T), axis=1, kind="stable")[:, :FIRST]
    hits = [
        wording.named.items() <= shown[i].items() for wording, row in zip(wordings, nearest, strict=True) for i in row
    ]
    return float(np.mean(hits)) if hits else 0.0


def evaluate(embedder: Embedder, directory: Path, products: Sequence[Product], *, wordings: int, seed: int) -> Report:
    """Everything that the model card says, on pictures that lie in `directory`."""
    pictures = embed_pictures(embedder, directory, products)
    report = Report()
    for language in LANGUAGES:
        queries = evaluation_queries(products, language, wordings, seed)
        report.queries[language] = len(queries)
        report.first_5[language] = _found(embedder, queries, pictures, products)
        unseen_pairs = evaluation_queries(products, language, wordings // 2, seed, only=HELD_OUT)
        report.first_5_held_out[language] = _found(embedder, unseen_pairs, pictures, products)
        _captions(embedder, language, products[:1000], pictures[:1000], seed, report)
    for example in EXAMPLES:
        if sum(product.shows(example.named) for product in products) >= FIRST:
            wording = Wording(text=example.text, named=example.named, language=example.language)
            report.examples[example.text] = _found(embedder, [wording], pictures, products)
    return report


def embed_pictures(embedder: Embedder, directory: Path, products: Sequence[Product], *, batch: int = 64) -> Vectors:
    """(n, dimensions) for the products' files."""
    side = embedder.preprocessing.height
    parts = [
        embedder.embed_images(read_pictures(directory, products[start : start + batch], side=side))
        for start in range(0, len(products), batch)
    ]
    return np.concatenate(parts)


def read_pictures(directory: Path, products: Sequence[Product], *, side: int) -> NDArray[np.uint8]:
    """(n, side, side, 3) for the products' files."""
    pixels: list[NDArray[np.uint8]] = []
    for product in products:
        with Image.open(directory / product.image_path, formats=("JPEG",)) as picture:
            pixels.append(np.asarray(fit(picture.convert("RGB"), side)))
    return np.stack(pixels)


def _found(embedder: Embedder, wordings: Sequence[Wording], pictures: Vectors, products: Sequence[Product]) -> float:
    if not wordings:
        return 0.0
    texts = embedder.embed_texts([wording.text for wording in wordings]).vectors
    return round(precision(texts, pictures, wordings, products), 4)


def _captions(
    embedder: Embedder,
    language: phrases.Language,
    products: Sequence[Product],
    pictures: Vectors,
    seed: int,
    report: Report,
) -> None:
    random = dice("captions", language, seed)
    wordings = [phrases.caption(product.attributes, language, random) for product in products]
    texts = np.concatenate(
        [
            embedder.embed_texts([w.text for w in wordings[start : start + 64]]).vectors
            for start in range(0, len(wordings), 64)
        ]
    )
    similarity = texts @ pictures.T
    rank = (similarity > np.diag(similarity)[:, None]).sum(axis=1)
    best = similarity.argmax(axis=1)
    report.caption_r1[language] = round(float((rank < 1).mean()), 4)
    report.caption_r10[language] = round(float((rank < 10).mean()), 4)
    true = [products[i].shows(wording.named) for i, wording in zip(best, wordings, strict=True)]
    report.caption_true_1[language] = round(float(np.mean(true)), 4)
