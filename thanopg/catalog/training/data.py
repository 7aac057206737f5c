"""What is learned from: pictures at the model's size, and for each the texts that are true of it."""

from __future__ import annotations

import csv
import multiprocessing
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thanopg.catalog import phrases
from thanopg.catalog.attributes import DRAWN
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product
from thanopg.catalog.product import Product
from thanopg.catalog.training.typos import mistype, surround
from thanopg.errors import InvalidArgument

Pixels = NDArray[np.uint8]
ATTRIBUTES = ("group", *DRAWN)
DRAWN_SIZE = 128
_QUERY_SHARE = 0.72
_TYPO_SHARE = 0.14
_NOISE_SHARE = 0.12


class Lesson(NamedTuple):
    """Texts for a batch of pictures, and which picture each is true of."""

    texts: list[str]
    truth: NDArray[np.bool_]
    """(texts, pictures)"""


class Dataset(Protocol):
    """Anything with pictures and texts can be trained on."""

    @property
    def pixels(self) -> Pixels:
        """(n, side, side, 3), RGB"""

    def lesson(self, indices: Sequence[int], random: Random) -> Lesson:
        """Texts for these pictures, worded anew each time."""


class CatalogueDataset:
    """Drawn products: the attributes that a text names say which pictures of a batch it is true of."""

    def __init__(self, products: Sequence[Product], pixels: Pixels) -> None:
        self.products = products
        self.pixels = pixels
        self._numbers: dict[tuple[str, str], int] = {}
        self._table = np.stack([self._row(product.attributes) for product in products])

    def lesson(self, indices: Sequence[int], random: Random) -> Lesson:
        wordings = [
            self._word(self.products[index].attributes, language, random)
            for index in indices
            for language in phrases.LANGUAGES
        ]
        named = np.stack([self._row(wording.named) for wording in wordings])
        shown = self._table[list(indices)]
        truth = ((named[:, None, :] == 0) | (named[:, None, :] == shown[None, :, :])).all(axis=-1)
        return Lesson([_slip(wording.text, random) for wording in wordings], truth)

    def _word(self, attributes: Mapping[str, str], language: phrases.Language, random: Random) -> phrases.Wording:
        if random.random() < _QUERY_SHARE:
            return phrases.query(attributes, language, random)
        for _ in range(20):
            wording = phrases.caption(attributes, language, random)
            if not phrases.is_held_out(wording.text):
                break
        return wording

    def _row(self, attributes: Mapping[str, str]) -> NDArray[np.int32]:
        """A number for each attribute's value; 0: not said."""
        numbers = self._numbers
        values = ((name, attributes.get(name)) for name in ATTRIBUTES)
        return np.array(
            [0 if value is None else numbers.setdefault((name, value), len(numbers) + 1) for name, value in values],
            dtype=np.int32,
        )


class PairDataset:
    """Any pictures with one or more texts each: a text is true of its own picture and of those with the same text."""

    def __init__(self, pixels: Pixels, texts: Sequence[Sequence[str]]) -> None:
        if len(pixels) != len(texts) or not all(texts):
            raise InvalidArgument(f"expected at least one text for each of {len(pixels)} pictures")
        self.pixels = pixels
        self.texts = texts
        self._same = [frozenset(map(_same_text, several)) for several in texts]

    def lesson(self, indices: Sequence[int], random: Random) -> Lesson:
        chosen = [random.choice(self.texts[index]) for index in indices]
        keys = [_same_text(text) for text in chosen]
        truth = np.array([[key in self._same[index] for index in indices] for key in keys], dtype=np.bool_)
        return Lesson([_slip(text, random) for text in chosen], truth)


def read_pairs(path: Path, *, image_column: str, text_columns: Sequence[str], side: int) -> PairDataset:
    """A csv whose image paths are relative to it. Raises InvalidArgument for a missing column or picture."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    missing = {image_column, *text_columns} - set(rows[0] if rows else ())
    if missing:
        raise InvalidArgument(f"expected the column {sorted(missing)[0]!r} in {path.name}")
    pixels = np.empty((len(rows), side, side, 3), dtype=np.uint8)
    for i, row in enumerate(rows):
        try:
            with Image.open(path.parent / row[image_column], formats=("JPEG", "PNG", "WEBP")) as picture:
                pixels[i] = np.asarray(fit(picture.convert("RGB"), side))
        except OSError as error:
            raise InvalidArgument(f"could not read the picture {row[image_column]!r}") from error
    return PairDataset(pixels, [[row[column] for column in text_columns if row[column]] for row in rows])


def drawn_dataset(
    count: int,
    seed: int,
    *,
    side: int,
    only_taught: bool,
    cache: Path | None = None,
    processes: int = 1,
    progress: Callable[[int], None] | None = None,
) -> CatalogueDataset:
    """`count` products drawn at the model's size; kept in `cache`, a directory, for the next run."""
    products = make_products(count, seed, only_taught=only_taught)
    kept = cache / f"drawn-{seed}-{count}-{side}-{int(only_taught)}.npy" if cache else None
    if kept is not None and kept.exists():
        return CatalogueDataset(products, np.load(kept))
    pixels = np.empty((count, side, side, 3), dtype=np.uint8)
    jobs = [(product, side) for product in products]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for i, drawn in enumerate(pool.imap(_draw_small, jobs, chunksize=32)):
            pixels[i] = drawn
            if progress and i % 500 == 499:
                progress(i + 1)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, pixels)
    return CatalogueDataset(products, pixels)


def _draw_small(job: tuple[Product, int]) -> Pixels:
    product, side = job
    return np.asarray(fit(draw_product(product, DRAWN_SIZE), side))


def fit(picture: Image.Image, side: int) -> Image.Image:
    """As open_clip prepares a picture: the shorter side scaled, the middle cut out."""
    scale = side / min(picture.size)
    width, height = max(side, round(picture.width * scale)), max(side, round(picture.height * scale))
    picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return picture.crop((left, top, left + side, top + side))


def _slip(text: str, random: Random) -> str:
    if random.random() < _NOISE_SHARE:
        text = surround(text, random)
    return mistype(text, random) if random.random() < _TYPO_SHARE else text


def _same_text(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())
