"""The tutorial's data, offline: drawn product pictures laid out as the Unsplash data set of ThanoSQL's tutorial.

Makes tutorial_data/unsplash_data/<photo_id>.jpg and unsplash.csv beside them, with the tutorial's five columns. Paths
in the csv begin at the directory that holds tutorial_data.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import sys
from pathlib import Path

from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product
from thanopg.catalog.product import Product

FOLDER = Path("tutorial_data") / "unsplash_data"
COLUMNS = ("photo_id", "image_path", "photo_image_url", "photo_description", "ai_description")
COUNT = 200
SEED = 2022
SIDE = 256
UNDESCRIBED = 4
"""every fourth photo has no description of its own, as in the original"""


def make(count: int = COUNT, directory: Path | None = None) -> Path:
    """Returns the csv. `directory` is where paths begin: THANOPG_IMAGE_ROOT, or else the current directory."""
    root = directory or Path(os.environ.get("THANOPG_IMAGE_ROOT", "."))
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    products = make_products(count, SEED, popular=True)
    for product in products:
        path = root / image_path(product)
        if not path.exists():
            draw_product(product, SIDE).save(path, "JPEG", quality=85)
    table = root / FOLDER / "unsplash.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(row(product) for product in products)
    return table


def row(product: Product) -> tuple[str, ...]:
    described = product.id % UNDESCRIBED != 0
    photo = photo_id(product)
    return (
        photo,
        image_path(product),
        f"https://images.example.org/{photo}",
        product.description if described else "",
        product.caption_en,
    )


def image_path(product: Product) -> str:
    return (FOLDER / f"{photo_id(product)}.jpg").as_posix()


def photo_id(product: Product) -> str:
    """Eleven signs, as Unsplash has them; the same for the same product."""
    digest = hashlib.sha256(product.seed.encode()).digest()
    return base64.urlsafe_b64encode(digest)[:11].decode().replace("-", "x").replace("_", "y")


if __name__ == "__main__":
    print(make(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
