"""Dresses, drawn flat as a shop lays them out, at times on a hanger."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.pen import Pen, Point, box, smooth, whole
from thanopg.catalog.product import Product
from thanopg.catalog.tailoring import Place, behind, collar, hanger, neck, neck_band, sleeves


def dress(pen: Pen, look: Look, product: Product, random: Random) -> None:
    mini = product.length == "mini"
    hem = random.uniform(0.44, 0.56) if mini else random.uniform(1.04, 1.12)
    flare = random.uniform(0.42, 0.60) if mini else random.uniform(0.40, 0.62)
    lift = 0.20 if mini else -0.09
    bare = product.sleeve == "none"
    shoulder = 0.25 if bare else 0.35
    opening = neck(product.neckline, top=-0.90, half=0.17, random=random)

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x, y + lift) for x, y in points]

    hanger(pen, place, top=-0.90, half=shoulder, random=random)
    if not bare:
        sleeves(
            pen, look, place, shoulder=shoulder, top=-0.88, armpit=-0.50, long=product.sleeve == "long", random=random
        )
    arm = [(0.22, -0.70), (0.27, -0.50)] if bare else [(0.32, -0.62), (0.29, -0.48)]
    side = [
        (shoulder, -0.88),
        *arm,
        (0.22, -0.18),
        (0.25, -0.05),
        (flare * 0.80, hem - 0.30 * (hem + 0.1)),
        (flare, hem),
    ]
    behind(pen, look, place, opening)
    body = [*opening, *smooth(side, closed=False), (flare * 0.5, hem + 0.05), (0, hem + 0.06)]
    pen.part(place(whole(body)), look.cloth, look.dark)
    _falls(pen, place, flare, hem, random)
    if random.random() < 0.6:
        pen.part(place(box(-0.225, -0.20, 0.225, -0.12)), look.dark)
    else:
        pen.line(place([(-0.22, -0.15), (0, -0.12), (0.22, -0.15)]), look.dark)
    if product.neckline == "collar":
        collar(pen, look, place, top=-0.90)
    else:
        neck_band(pen, look, place, opening)


def _falls(pen: Pen, place: Place, flare: float, hem: float, random: Random) -> None:
    """The skirt hangs in folds, the waist lies in shade."""
    count = random.randint(4, 6)
    for i in range(count):
        share = -0.9 + 1.8 * (i + random.uniform(0.2, 0.8)) / count
        width = random.uniform(0.05, 0.09)
        bottom = share * flare
        fold = [(share * 0.20, -0.08), (bottom - width, hem + 0.02), (bottom + width, hem + 0.02)]
        pen.shade(place(fold), -0.34 if i % 2 else 0.16)
    pen.streak(place([(-0.21, -0.30), (-0.20, -0.10)]), -0.30, width=0.08)
    pen.streak(place([(0.21, -0.30), (0.20, -0.10)]), -0.30, width=0.08)
