"""Boots: of leather, lined with fur, or of rubber for the rain."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.footwear import Move, pair
from thanopg.catalog.palette import RGB, darker, lighter
from thanopg.catalog.pen import Pen, Point, box, ellipse, smooth
from thanopg.catalog.product import Product


def boots(pen: Pen, look: Look, product: Product, random: Random) -> None:
    tall = product.cut == "tall"
    top = -0.98 if tall else -0.36
    wool: RGB = random.choice(((244, 238, 226), (226, 214, 196), (120, 104, 92)))
    sole: RGB = random.choice(((52, 46, 44), (88, 66, 48), (36, 36, 40)))

    def boot(move: Move) -> None:
        body: list[Point] = [
            (-0.60, 0.50),
            (-0.62, 0.10),
            (-0.58, top),
            (0.06, top),
            (0.06, -0.10),
            (0.16, 0.06),
            (0.46, 0.14),
            (0.64, 0.30),
            (0.66, 0.50),
        ]
        outline = smooth(body[:4], closed=False, steps=3) + smooth(body[3:], closed=False)
        pen.part(move(outline), look.cloth, look.dark, width=0.02)
        pen.streak(move([(-0.54, top + 0.1), (-0.56, 0.40)]), -0.34, width=0.14)
        if product.material == "rubber":
            _rubber(pen, look, move, top, sole)
            return
        toe = smooth([(0.28, 0.50), (0.30, 0.22), (0.46, 0.15), (0.64, 0.30), (0.66, 0.50)], closed=False)
        pen.part(move(toe), look.dark)
        count = 6 if tall else 4
        for i in range(count):
            y = top + 0.24 + i * ((0.06 - top - 0.24) / count)
            pen.line(move([(-0.10, y + 0.03), (0.06, y - 0.02)]), look.light, width=0.034)
        pen.line(move([(-0.10, top + 0.16), (-0.08, -0.02), (0.10, 0.16)]), look.dark, width=0.016)
        pen.line(move([(-0.61, 0.16), (-0.30, 0.20), (-0.24, 0.50)]), look.dark, width=0.016)
        pen.streak(move([(-0.30, top + 0.2), (-0.30, 0.10)]), 0.26, width=0.12)
        tread = [(-0.66, 0.46), (0.70, 0.46), (0.72, 0.60), (0.64, 0.66), (-0.64, 0.66), (-0.68, 0.58)]
        pen.part(move(tread), sole, darker(sole, 0.4))
        for i in range(9):
            x = -0.56 + i * 0.14
            pen.line(move([(x, 0.60), (x, 0.66)]), lighter(sole, 0.3), width=0.03)
        if product.material == "fur":
            _fur(pen, move, top, wool, random)
        else:
            pen.part(move(box(-0.60, top - 0.03, 0.08, top + 0.08)), look.deep)

    pair(boot, random, down=0.18 if tall else -0.08, apart=0.40)


def _rubber(pen: Pen, look: Look, move: Move, top: float, sole: RGB) -> None:
    """Smooth and glossy, a band round the top, no laces."""
    pen.part(move(box(-0.61, top, 0.08, top + 0.13, radius=0.02)), look.deep, look.dark)
    pen.shade(move([(-0.42, top + 0.18), (-0.26, top + 0.18), (-0.28, 0.34), (-0.44, 0.34)]), 0.85)
    pen.streak(move([(0.30, 0.20), (0.54, 0.30)]), 0.75, width=0.07)
    pen.streak(move([(-0.02, top + 0.2), (0.0, -0.02)]), 0.35, width=0.05)
    pen.part(move(box(-0.64, 0.46, 0.68, 0.60, radius=0.04)), look.deep, look.dark)
    pen.part(move(box(-0.64, 0.56, -0.20, 0.66, radius=0.02)), sole)
    pen.part(move(box(-0.02, 0.56, 0.66, 0.64, radius=0.02)), sole)


def _fur(pen: Pen, move: Move, top: float, wool: RGB, random: Random) -> None:
    tufts = [(-0.64 + i * 0.084 + random.uniform(-0.01, 0.01), top + random.uniform(-0.03, 0.05)) for i in range(10)]
    for x, y in tufts:
        pen.part(move(ellipse(x, y, 0.095, 0.115)), wool)
    for x, y in tufts[::2]:
        pen.line(move([(x, y - 0.04), (x + 0.02, y + 0.05)]), darker(wool, 0.15), width=0.012)
