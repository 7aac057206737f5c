"""A product's picture: a function of the product alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from PIL import Image

from thanopg.catalog import (
    accessories,
    bags,
    boots,
    clutter,
    coats,
    dresses,
    footwear,
    garments,
    hats,
    jewellery,
    knitwear,
    light,
    lower,
    scene,
    shoes,
)
from thanopg.catalog.cloth import Look, make_look
from thanopg.catalog.dice import dice
from thanopg.catalog.palette import paint
from thanopg.catalog.pen import Pen, Placement
from thanopg.catalog.product import Product
from thanopg.errors import InvalidArgument

Artist = Callable[[Pen, Look, Product, Random], None]

_ARTISTS: dict[str, Artist] = {
    artist.__name__: artist
    for artist in (
        dresses.dress,
        garments.tshirt,
        garments.shirt,
        knitwear.sweater,
        coats.coat,
        lower.skirt,
        lower.slacks,
        lower.jeans,
        lower.shorts,
        footwear.sneakers,
        boots.boots,
        shoes.sandals,
        shoes.heels,
        bags.bag,
        hats.hat,
        hats.scarf,
        accessories.watch,
        accessories.belt,
        accessories.sunglasses,
        jewellery.earrings,
        jewellery.bracelet,
        jewellery.necklace,
    )
}
_TURNED = {
    "earrings": 8,
    "bracelet": 25,
    "necklace": 6,
    "sunglasses": 12,
    "belt": 12,
    "watch": 25,
    "sandals": 14,
    "hat": 10,
}
"""by how many degrees at most; everything else by 9"""

_ENLARGED = {
    "dress": 0.97,
    "hat": 1.06,
    "shorts": 1.22,
    "skirt": 1.06,
    "tshirt": 1.08,
    "shirt": 1.06,
    "earrings": 1.12,
    "bracelet": 1.10,
}


def draw_product(product: Product, size: int) -> Image.Image:
    """RGB, `size` × `size` pixels, 16 at least; the same product always gives the same pixels."""
    if size < 16:
        raise InvalidArgument(f"a picture needs 16 pixels a side, not {size}")
    finer = 3.0 if size <= 128 else 2.0 if size <= 400 else 1.5
    pen, look, random = draw_alone(product, round(size * finer))
    colour, alpha = _smaller(pen.colour, size), _smaller(pen.alpha, size)
    lit = light.round_off(colour, alpha, pen.tone, random)
    picture = scene.settle(scene.background(size, look.main, random), lit, alpha, random)
    clutter.front(picture, random)
    return picture


def _smaller(layer: Image.Image, size: int) -> Image.Image:
    """Edges smoothed by averaging."""
    if layer.width % size == 0:
        return layer.reduce(layer.width // size)
    return layer.resize((size, size), Image.Resampling.BOX)


def draw_alone(product: Product, side: int) -> tuple[Pen, Look, Random]:
    """The product without a background, edges not yet smoothed, and the chance that the rest depends on."""
    random = dice("draw", product.seed)
    turn = _TURNED.get(product.category, 9)
    placement = Placement(
        scale=random.uniform(0.37, 0.46) * _ENLARGED.get(product.category, 1.0),
        angle=math.radians(random.triangular(-turn, turn)),
        x=0.5 + random.uniform(-0.035, 0.035),
        y=0.5 + random.uniform(-0.03, 0.03),
        stretch=random.uniform(0.92, 1.08),
        mirrored=random.random() < 0.5,
    )
    main = paint(product.colour, product.shade, random)
    look = make_look(main, product.pattern, side, placement.scale * side, placement.angle, random)
    pen = Pen(side, placement, look.dark)
    _ARTISTS[product.category](pen, look, product, random)
    return pen, look, random
