"""Captions of real pictures by the bundled model and their vectors; and models that can't do what is asked."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.working import work_off
from thanopg.catalog.captions import names_right
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product
from thanopg.catalog.phrases import LANGUAGES
from thanopg.catalog.product import Product
from thanopg.errors import NotSupported
from thanopg.models.library import ModelLibrary

PRODUCTS, SEED = 40, 97
LEAST_RIGHT = 0.8
"""of category and colour together; 0.9 of many, and these are few"""


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return make_products(PRODUCTS, SEED)


@pytest.fixture
def shop(connection: psycopg.Connection, products: list[Product], tmp_path: Path) -> Path:
    """Half of the pictures in the table, half of them as files."""
    connection.execute("CREATE TABLE product (id int PRIMARY KEY, image bytea, path text)")
    for n, product in enumerate(products):
        file = io.BytesIO()
        draw_product(product, 256).save(file, "JPEG", quality=90)
        (tmp_path / f"{n}.jpg").write_bytes(file.getvalue())
        connection.execute("INSERT INTO product VALUES (%s, %s, %s)", (n, file.getvalue(), f"{n}.jpg"))
    return tmp_path


def test_captions_and_their_vectors_come_by_themselves(
    connection: psycopg.Connection, database: Database, library: ModelLibrary, shop: Path, products: list[Product]
) -> None:
    connection.execute("SELECT add_caption('product', 'image', 'catalog')")
    connection.execute("SELECT add_caption('product', 'path', 'catalog', 'caption_en', language => 'en')")
    connection.execute("SELECT add_text_embedding('product', 'caption', 'catalog', type => 'halfvec')")
    connection.execute("SELECT add_image_embedding('product', 'path', 'catalog')")
    tally = work_off(database.url, shop, library=library)
    assert (tally.embedded, tally.failed) == (4 * PRODUCTS, 0)
    rows = connection.execute(
        "SELECT caption, caption_en, catalog_catalog_caption::vector::real[] FROM product ORDER BY id"
    ).fetchall()
    for language, texts in zip(LANGUAGES, zip(*[row[:2] for row in rows], strict=True), strict=True):
        right = [
            names_right(text, product.attributes, language, "category", "colour")
            for text, product in zip(texts, products, strict=True)
        ]
        assert np.mean(right) >= LEAST_RIGHT, (language, texts)
    model = library.get("catalog")
    expected = model.embed_passages([row[0] for row in rows]).vectors
    assert np.allclose(np.array([row[2] for row in rows]), expected, atol=1e-3)
    chains = connection.execute("SELECT chain FROM embedding_status WHERE kind = 'text'").fetchall()
    assert chains == [("image → caption → catalog_catalog_caption",)]

    asked = next(product for product in products if product.category == "dress")
    words = f"{asked.attributes['colour']} dress"
    vector = model.embed_texts([words]).vectors[0].tolist()
    nearest = connection.execute(
        "SELECT id FROM product ORDER BY catalog_catalog_caption <=> %s::real[]::vector::halfvec LIMIT 5", [vector]
    ).fetchall()
    assert asked.category in {products[n].category for (n,) in nearest}, (words, nearest)


def test_a_prompt_that_the_model_does_not_take_stops_its_column_alone(
    connection: psycopg.Connection, database: Database, library: ModelLibrary, shop: Path
) -> None:
    connection.execute("DELETE FROM product WHERE id > 3")
    connection.execute("SELECT add_image_embedding('product', 'path', 'catalog')")
    connection.execute("SELECT add_caption('product', 'path', 'catalog', prompt => 'what is it?')")
    with pytest.raises(NotSupported, match="takes no prompt"):
        work_off(database.url, shop, library=library)
    counts = connection.execute(
        "SELECT embedded, pending, failed FROM embedding_status ORDER BY column_name"
    ).fetchall()
    assert counts == [(0, 4, 0), (4, 0, 0)]
    free = connection.execute("SELECT count(*) FROM thanopg.pending WHERE claimed_by IS NULL AND attempts = 0")
    assert free.fetchone() == (4,)


def test_a_model_that_has_forgotten_how_stops_its_column_alone(
    connection: psycopg.Connection, database: Database, library: ModelLibrary, shop: Path
) -> None:
    """The registry says that it writes captions; what was loaded does not."""
    connection.execute("UPDATE thanopg.model SET can_caption = true, languages = NULL WHERE name = 'catalog'")
    connection.execute("SELECT add_caption('product', 'path', 'catalog', language => 'fr')")
    with pytest.raises(Exception, match="writes captions in ko, en, not in 'fr'"):
        work_off(database.url, shop, library=library)
    row = connection.execute("SELECT pending, failed FROM embedding_status").fetchone()
    assert row == (PRODUCTS, 0)
