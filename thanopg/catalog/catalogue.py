"""Makes products and writes them as a directory of JPEG files with a csv, drawing in several processes."""

from __future__ import annotations

import csv
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from thanopg.catalog import phrases, talk_en, talk_ko
from thanopg.catalog.attributes import CATEGORIES, OPTIONAL, Category, held_out
from thanopg.catalog.dice import dice
from thanopg.catalog.draw import draw_product
from thanopg.catalog.palette import METALS, shades
from thanopg.catalog.product import COLUMNS, Product
from thanopg.catalog.queries import EXAMPLES
from thanopg.errors import InvalidArgument

PICTURE_SIZES = (128, 160, 192, 224, 256, 256, 256, 288, 288, 320, 320, 360, 480, 640)
"""pixels a side, the usual ones more than once"""
CSV_NAME = "products.csv"
POPULAR_EVERY = 6
METAL_SHARE = 0.35
_CHUNK = 8
_SHADE_WEIGHTS = {"light": 0.32, "normal": 0.36, "dark": 0.32}
_BRANDS = ("하늘", "모노", "오브제", "리안", "소담", "나린", "루아", "그린데이", "베이직랩", "도담")


def make_products(count: int, seed: int, *, only_taught: bool = False, popular: bool = False) -> list[Product]:
    """`count` products, a function of the seed.

    `only_taught` leaves out the combinations kept from training. `popular`: every sixth product is one that an
    example query asks for, as a shop stocks what is asked for; ten for each query among 1,000.
    """
    if count < 0:
        raise InvalidArgument(f"expected a number of products, not {count}")
    return [_make_product(number, seed, only_taught=only_taught, popular=popular) for number in range(1, count + 1)]


def write_catalogue(
    directory: Path,
    count: int,
    seed: int,
    *,
    processes: int = 2,
    progress: Callable[[int], None] | None = None,
    popular: bool = True,
) -> list[Product]:
    """Writes `pictures/000001.jpg` … and `products.csv`; `progress` hears how many pictures are there so far."""
    products = make_products(count, seed, popular=popular)
    (directory / "pictures").mkdir(parents=True, exist_ok=True)
    jobs = [(str(directory), product) for product in products]
    if processes <= 1 or count < 2 * _CHUNK:
        for done, job in enumerate(jobs, 1):
            _write_picture(job)
            if progress:
                progress(done)
    else:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            for done, _ in enumerate(pool.imap_unordered(_write_picture, jobs, chunksize=_CHUNK), 1):
                if progress:
                    progress(done)
    write_csv(directory / CSV_NAME, products)
    return products


def write_csv(path: Path, products: Sequence[Product]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(product.as_row() for product in products)


def read_csv(path: Path) -> list[Product]:
    """What `write_csv` wrote. Raises InvalidArgument when a column is missing."""
    with path.open(encoding="utf-8", newline="") as file:
        return [Product.from_row(row) for row in csv.DictReader(file)]


def _make_product(number: int, seed: int, *, only_taught: bool, popular: bool) -> Product:
    random = dice("product", seed, number)
    asked = EXAMPLES[number // POPULAR_EVERY % len(EXAMPLES)].named if popular and number % POPULAR_EVERY == 0 else {}
    category, colour = _category_and_colour(random, only_taught, asked)
    tones = shades(colour)
    shade = random.choices(tones, [_SHADE_WEIGHTS[tone] for tone in tones])[0]
    patterns = category.patterns
    pattern = "plain" if len(patterns) == 1 or random.random() < 0.55 else random.choice(patterns[1:])
    shade, pattern = asked.get("shade", shade), asked.get("pattern", pattern)
    optional = {
        name: asked.get(name) or random.choice(values)
        for name in OPTIONAL
        if (values := category.materials_of(colour, pattern) if name == "material" else category.values(name))
    }
    drawn = {"group": category.group, "category": category.name, "colour": colour, "shade": shade, "pattern": pattern}
    drawn |= optional
    qualities = random.sample(category.qualities, min(2, len(category.qualities)))
    if set(qualities) == {"men", "women"}:
        qualities = qualities[:1]
    korean, english = phrases.title(drawn, "ko"), phrases.title(drawn, "en")
    return Product(
        id=number,
        image_path=f"pictures/{number:06d}.jpg",
        name=f"{random.choice(_BRANDS)} {korean}",
        description=_describe(korean, english, qualities),
        category=category.name,
        colour=colour,
        shade=shade,
        pattern=pattern,
        **{name: optional.get(name) for name in OPTIONAL},
        caption_ko=phrases.caption(drawn, "ko", random).text,
        caption_en=phrases.caption(drawn, "en", random).text,
        seed=f"{seed}-{number}",
    )


def _category_and_colour(random: Random, only_taught: bool, asked: Mapping[str, str]) -> tuple[Category, str]:
    while True:
        category = random.choices(list(CATEGORIES.values()), [c.weight for c in CATEGORIES.values()])[0]
        category = CATEGORIES[asked.get("category", category.name)]
        colour = random.choice(category.colours)
        metals = [c for c in category.colours if c in METALS]
        if metals and random.random() < METAL_SHARE:
            colour = random.choice(metals)
        colour = asked.get("colour", colour)
        if not (only_taught and held_out(category.name, colour)):
            return category, colour


def _describe(korean: str, english: str, qualities: Sequence[str]) -> str:
    said = " ".join(talk_ko.SENTENCES[quality] for quality in qualities)
    also = " ".join(talk_en.SENTENCES[quality] for quality in qualities)
    return f"{korean}입니다. {said} / {english[:1].upper()}{english[1:]}. {also}".strip()


def _write_picture(job: tuple[str, Product]) -> None:
    directory, product = job
    random = dice("file", product.seed)
    size, quality = random.choice(PICTURE_SIZES), random.randint(62, 92)
    draw_product(product, size).save(Path(directory) / product.image_path, "JPEG", quality=quality)
