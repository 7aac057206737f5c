"""Finds products by words: `python find.py '베이지색 미니 원피스'`."""

from __future__ import annotations

import sys

from database import database_url
from models import Product
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from thanopg.sqlalchemy import search


def find(words: str, count: int = 5, at_most: int = 1_000_000) -> list[tuple[Product, float]]:
    with Session(create_engine(database_url())) as session:
        nearest = search(Product, words).where(Product.price <= at_most).limit(count)
        return [(product, similarity) for product, similarity in session.execute(nearest)]


if __name__ == "__main__":
    for product, similarity in find(sys.argv[1]):
        print(f"{similarity:.3f}  {product.price:>7,}  {product.name}")
