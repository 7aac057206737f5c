"""What is claimed of a picture is drawn on it, and the same product is always drawn the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from thanopg.catalog import light
from thanopg.catalog.attributes import CATEGORIES
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_alone, draw_product
from thanopg.catalog.palette import COLOURS, paint, shades
from thanopg.catalog.product import Product
from thanopg.errors import InvalidArgument

SIDE = 160
PLAIN_CLOTHES = ("dress", "tshirt", "shirt", "skirt", "slacks", "sneakers", "boots", "bag", "scarf", "hat")


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return make_products(400, 11)


def covered(product: Product) -> NDArray[np.bool_]:
    body: NDArray[np.bool_] = np.asarray(draw_alone(product, SIDE)[0].alpha) == 255
    return body


def of_category(products: list[Product], category: str) -> Product:
    return next(product for product in products if product.category == category)


def test_the_same_product_gives_the_same_pixels(products: list[Product]) -> None:
    for product in products[:20]:
        assert draw_product(product, 96).tobytes() == draw_product(product, 96).tobytes()


def test_two_products_of_the_same_kind_differ_in_their_pictures(products: list[Product]) -> None:
    product = products[0]
    assert draw_product(product, 96).tobytes() != draw_product(replace(product, seed="other"), 96).tobytes()


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_fills_its_picture_without_leaving_it(products: list[Product], category: str) -> None:
    product = of_category(products, category)
    picture = draw_product(product, 128)
    assert picture.mode == "RGB"
    assert picture.size == (128, 128)
    body = covered(product)
    assert 0.02 < body.mean() < 0.75
    edges = np.concatenate([body[0], body[-1], body[:, 0], body[:, -1]])
    assert edges.mean() < 0.12


def test_the_claimed_colour_is_the_commonest_of_the_product(products: list[Product]) -> None:
    palette = [(colour, shade, paint(colour, shade)) for colour in COLOURS for shade in shades(colour)]
    paints = np.array([rgb for _, _, rgb in palette], dtype=np.float32)
    right, asked = 0, 0
    for product in products:
        if product.pattern != "plain" or product.category not in PLAIN_CLOTHES:
            continue
        pen = draw_alone(product, SIDE)[0]
        pixels = np.asarray(pen.colour, dtype=np.float32)[covered(product)]
        nearest = np.linalg.norm(pixels[:, None] - paints[None], axis=-1).argmin(axis=1)
        colour, shade, _ = palette[np.bincount(nearest, minlength=len(palette)).argmax()]
        asked += 1
        right += colour == product.colour and shade == product.shade
    assert asked > 50
    assert right / asked > 0.9


def test_a_longer_dress_is_taller(products: list[Product]) -> None:
    dress = replace(of_category(products, "dress"), sleeve="none")
    height = {
        length: np.flatnonzero(covered(replace(dress, length=length)).any(axis=1)).size for length in ("mini", "long")
    }
    assert height["long"] > 1.2 * height["mini"]


def test_longer_sleeves_cover_more(products: list[Product]) -> None:
    shirt = replace(of_category(products, "tshirt"), neckline="round")
    area = [covered(replace(shirt, sleeve=sleeve)).sum() for sleeve in ("none", "short", "long")]
    assert area[0] < area[1] < area[2]


def test_a_hood_stands_above_the_shoulders(products: list[Product]) -> None:
    sweater = of_category(products, "sweater")
    top = {name: first_row(replace(sweater, neckline=name, pattern="plain")) for name in ("vneck", "hood")}
    assert top["hood"] < top["vneck"] - SIDE * 0.04


def test_a_high_heel_lifts_and_a_wedge_fills(products: list[Product]) -> None:
    seeds = [replace(of_category(products, "heels"), seed=f"pair-{i}") for i in range(12)]
    high, low, wedge = (
        np.mean([covered(replace(shoe, heel=heel)).sum(axis=(0, 1)) for shoe in seeds])
        for heel in ("high", "low", "wedge")
    )
    assert wedge > 1.2 * max(high, low)
    rows = {heel: np.mean([first_row(replace(shoe, heel=heel)) for shoe in seeds]) for heel in ("high", "low")}
    assert rows["high"] < rows["low"] - SIDE * 0.05


def test_a_flared_skirt_is_wider_at_its_hem_than_a_pencil_skirt(products: list[Product]) -> None:
    skirt = replace(of_category(products, "skirt"), length="long")
    width = {cut: covered(replace(skirt, cut=cut)).sum(axis=1)[-SIDE // 4 :].max() for cut in ("flared", "pencil")}
    assert width["flared"] > 1.5 * width["pencil"]


def test_materials_are_seen(products: list[Product]) -> None:
    """Straw is woven of two tones, a padded coat has a seam every few rows, rubber boots shine."""
    bag = replace(of_category(products, "bag"), cut="tote", pattern="plain", colour="blue", shade="normal")
    assert distinct_colours(replace(bag, material="straw")) > distinct_colours(replace(bag, material="canvas"))
    coat = replace(of_category(products, "coat"), pattern="plain", length="long")
    shade = {name: shades_across(replace(coat, material=name)) for name in ("wool", "padded")}
    assert shade["padded"] > 1.5 * shade["wool"]
    boots = of_category(products, "boots")
    gloss = {name: brightest(replace(boots, material=name)) for name in ("leather", "rubber")}
    assert gloss["rubber"] > gloss["leather"]


def first_row(product: Product) -> int:
    return int(np.flatnonzero(covered(product).any(axis=1))[0])


def shades_across(product: Product) -> float:
    """How much light and shade change from row to row."""
    tone = np.asarray(draw_alone(product, SIDE)[0].tone, dtype=np.float32)
    return float(np.abs(np.diff(tone, axis=0)).mean())


def brightest(product: Product) -> int:
    return int(np.asarray(draw_alone(product, SIDE)[0].tone).max())


def test_light_and_shade_leave_the_colour_what_it_is(products: list[Product]) -> None:
    for product in (of_category(products, category) for category in PLAIN_CLOTHES):
        pen, _, random = draw_alone(product, SIDE)
        lit = np.asarray(light.round_off(pen.colour, pen.alpha, pen.tone, random), dtype=np.float32)
        inside = covered(product)
        change = lit[inside].mean(axis=0) - np.asarray(pen.colour, dtype=np.float32)[inside].mean(axis=0)
        assert np.abs(change).max() < 26, product


@pytest.mark.parametrize("pattern", ["striped", "dotted", "checked", "floral"])
def test_a_pattern_brings_a_second_colour(products: list[Product], pattern: str) -> None:
    skirt = replace(of_category(products, "skirt"), pattern="plain", colour="blue", shade="normal")
    plain, patterned = (distinct_colours(replace(skirt, pattern=name)) for name in ("plain", pattern))
    assert patterned > plain


def distinct_colours(product: Product) -> int:
    """Those that cover more than a fiftieth of the product."""
    pen = draw_alone(product, SIDE)[0]
    small = Image.composite(pen.colour, Image.new("RGB", pen.colour.size), pen.alpha)
    counts = [count for count, colour in small.getcolors(SIDE * SIDE) or () if colour != (0, 0, 0)]
    return sum(count > 0.02 * sum(counts) for count in counts)


def test_a_picture_smaller_than_16_pixels_is_refused(products: list[Product]) -> None:
    with pytest.raises(InvalidArgument, match="16 pixels"):
        draw_product(products[0], 8)
