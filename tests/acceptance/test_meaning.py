"""End to end with the bundled model: a thousand files, one of them damaged, searched in Korean and in English."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
from PIL import Image, ImageOps
from psycopg.types.json import Jsonb

from tests.conftest import Database, clone
from tests.pictures import ORDINARY, photograph
from tests.running_service import RunningService
from thanopg.catalog.catalogue import write_catalogue
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES, ExampleQuery
from thanopg.config import ImageLimits
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.library import ModelLibrary
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

COUNT = 999
ENOUGH = 5


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def products(root: Path) -> dict[int, Product]:
    return {product.id: product for product in write_catalogue(root, COUNT, seed=4321)}


@pytest.fixture(scope="module")
def shop(
    server: EmbeddedServer,
    template: str,
    service: RunningService,
    library: ModelLibrary,
    root: Path,
    products: dict[int, Product],
) -> Iterator[Database]:
    """Table product: 999 pictures, a damaged one, and photographs in many formats; embedded by a worker."""
    with clone(server, template) as database, connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE product (id int PRIMARY KEY, image_path text)")
        connection.execute("SELECT add_image_embedding('product', 'image_path', 'catalog')")
        rows = [(product.id, product.image_path) for product in products.values()]
        (root / "damaged.jpg").write_bytes((root / rows[0][1]).read_bytes()[:3000])
        rows.append((1000, "damaged.jpg"))
        for number, (kind, save) in enumerate(ORDINARY.items(), 1001):
            (root / f"photograph {kind}").write_bytes(save(photograph(seed=number)))
            rows.append((number, f"photograph {kind}"))
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO product VALUES (%s, %s)", rows)
        limits = ImageLimits()
        with DecodePool(2, limits) as decoder, Preparer(ImageReader(root, limits), decoder, threads=4) as preparer:
            Worker(url=database.url, library=library, preparer=preparer).run(threading.Event(), once=True)
        yield database


@pytest.fixture
def session(shop: Database) -> Iterator[psycopg.Connection]:
    with connect(shop.url, autocommit=True) as made:
        yield made


def test_one_damaged_file_beside_999_embedded_rows(session: psycopg.Connection) -> None:
    assert session.execute("SELECT key, error_type FROM failure").fetchall() == [({"id": 1000}, "truncated")]
    assert session.execute("SELECT count(catalog_catalog) FROM product WHERE id <= 1000").fetchone() == (COUNT,)
    status = session.execute("SELECT rows - embedded, pending, failed FROM embedding_status").fetchone()
    assert status == (1, 0, 1)


def test_stored_vectors_are_plain_open_clips(session: psycopg.Connection, root: Path) -> None:
    """Every photograph format, and every twentieth product."""
    from thanopg.models.torchvision_shim import import_torchvision

    import_torchvision()
    import open_clip
    import torch

    import thanopg.catalog

    directory = Path(thanopg.catalog.__file__).with_name("model")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{directory}")
    model.eval()
    rows = session.execute(
        "SELECT image_path, catalog_catalog::real[] FROM product "
        "WHERE catalog_catalog IS NOT NULL AND (id > 1000 OR id % 20 = 0)"
    ).fetchall()
    assert len(rows) > len(ORDINARY)
    for path, stored in rows:
        with Image.open(root / path) as image, torch.no_grad():
            features = model.encode_image(preprocess(ImageOps.exif_transpose(image))[None].float())[0].numpy()
        assert float(np.array(stored) @ features / np.linalg.norm(features)) >= 0.9999, path


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if {"category", "colour"} <= e.named.keys()], ids=lambda e: e.text
)
def test_the_first_results_show_what_was_asked_for(
    session: psycopg.Connection, products: dict[int, Product], example: ExampleQuery
) -> None:
    if sum(product.shows(example.named) for product in products.values()) < ENOUGH:
        pytest.fail(f"the catalogue has too few pictures for {example.text!r}")
    rows = session.execute("SELECT key FROM search_image(%s, 'catalog', 5)", (example.text,)).fetchall()
    right = [key["id"] in products and products[key["id"]].shows(example.named) for (key,) in rows]
    assert right[0] and sum(right) >= 4, right


def test_bright_red_mini_dresses_come_first(session: psycopg.Connection, products: dict[int, Product]) -> None:
    rows = session.execute("SELECT * FROM search_image('밝은 빨간색 미니 원피스', 'catalog')").fetchall()
    first = [products[row[2]["id"]] for row in rows[:3]]
    assert all((p.category, p.colour, p.shade, p.length) == ("dress", "red", "light", "mini") for p in first)


def test_a_picture_finds_itself_and_its_like(
    session: psycopg.Connection, root: Path, products: dict[int, Product]
) -> None:
    data = (root / products[7].image_path).read_bytes()
    rows = session.execute("SELECT key, similarity FROM search_image(%s::bytea, 'catalog', 3)", (data,)).fetchall()
    assert rows[0][0] == {"id": 7} and rows[0][1] == pytest.approx(1, abs=1e-3)
    same = []
    for number in range(1, 41):
        like = session.execute(
            "SELECT key->>'id' FROM similar_image('product', %s, 'catalog', 3, filter => %s)",
            (Jsonb({"id": number}), f"id <= {COUNT}"),
        ).fetchall()
        same += [products[int(found)].category == products[number].category for (found,) in like]
    assert len(same) >= 3 * 39 and sum(same) / len(same) >= 0.5  # chance would be one in twenty
