"""A catalogue is a function of its seed, and its csv says everything about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from thanopg.catalog.attributes import CATEGORIES, OPTIONAL, held_out
from thanopg.catalog.catalogue import CSV_NAME, make_products, read_csv, write_catalogue
from thanopg.catalog.palette import COLOURS, METALS
from thanopg.catalog.product import Product
from thanopg.catalog.queries import EXAMPLES
from thanopg.errors import InvalidArgument


def test_products_depend_on_the_seed_alone() -> None:
    assert make_products(30, 5) == make_products(30, 5)
    assert make_products(30, 5) == make_products(60, 5)[:30]
    assert make_products(30, 5) != make_products(30, 6)


def test_there_is_something_of_everything() -> None:
    products = make_products(2000, 3)
    assert {product.category for product in products} == set(CATEGORIES)
    assert {product.colour for product in products} == set(COLOURS)
    assert {product.pattern for product in products} == {"plain", "striped", "dotted", "checked", "floral"}
    assert {product.sleeve for product in products} == {"none", "short", "long", None}
    for name in OPTIONAL:
        drawn = {(product.category, getattr(product, name)) for product in products} - {(c, None) for c in CATEGORIES}
        assert drawn == {(c.name, value) for c in CATEGORIES.values() for value in c.values(name)}


def test_what_is_made_of_what_fits_colour_and_pattern() -> None:
    for product in make_products(2000, 3):
        if product.pattern != "plain":
            assert product.material not in ("leather", "straw", "padded")
        if product.category == "watch" and product.colour in METALS:
            assert product.material == "metal"


def test_a_thousand_products_answer_every_example_five_times() -> None:
    products = make_products(1000, 7, popular=True)
    for example in EXAMPLES:
        assert sum(product.shows(example.named) for product in products) >= 10, example.text


def test_combinations_kept_from_training_are_kept_from_it() -> None:
    assert not any(held_out(p.category, p.colour) for p in make_products(2000, 1, only_taught=True))
    assert any(held_out(p.category, p.colour) for p in make_products(300, 1))


@pytest.mark.parametrize("processes", [1, 2])
def test_pictures_and_csv_are_written(tmp_path: Path, processes: int) -> None:
    heard: list[int] = []
    products = write_catalogue(tmp_path, 20, 4, processes=processes, progress=heard.append)
    assert heard == list(range(1, 21))
    assert read_csv(tmp_path / CSV_NAME) == products == make_products(20, 4, popular=True)
    sizes: set[int] = set()
    for product in products:
        with Image.open(tmp_path / product.image_path) as picture:
            assert picture.format == "JPEG"
            assert picture.width == picture.height
            sizes.add(picture.width)
    assert len(sizes) > 4 and min(sizes) >= 128 and max(sizes) <= 640


def test_descriptions_say_what_no_picture_shows() -> None:
    descriptions = " ".join(product.description for product in make_products(300, 2))
    for said in ("방수 기능", "통기성", "격식 있는", "Waterproof", "Comfortable", "Breathable"):
        assert said in descriptions


def test_a_row_without_a_column_is_refused() -> None:
    row = make_products(1, 1)[0].as_row()
    del row["colour"]
    with pytest.raises(InvalidArgument, match="colour"):
        Product.from_row(row)


def test_a_row_whose_id_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="'one'"):
        Product.from_row(make_products(1, 1)[0].as_row() | {"id": "one"})
