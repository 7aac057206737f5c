"""Fills the shop: draws pictures of products into pictures/ and inserts their rows. The worker does the rest."""

from __future__ import annotations

import sys
from pathlib import Path

from database import database_url
from models import Product
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product

PICTURES = Path("pictures")
SIDE = 256
SEED = 11


def load(count: int) -> int:
    PICTURES.mkdir(exist_ok=True)
    with Session(create_engine(database_url())) as session, session.begin():
        for drawn in make_products(count, SEED, popular=True):
            image_path = f"{drawn.id}.jpg"
            draw_product(drawn, SIDE).save(PICTURES / image_path, "JPEG", quality=85)
            session.add(Product(name=drawn.name, price=9_900 + drawn.id * 100, image_path=image_path))
    return count


if __name__ == "__main__":
    print(load(int(sys.argv[1])), "products")
