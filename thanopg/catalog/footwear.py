"""Sneakers, and how shoes are set out: seen from the side, alone or as a pair. The toe points right."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, luminance, mix
from thanopg.catalog.pen import Pen, Point, mirror, moved, smooth
from thanopg.catalog.product import Product

Move = Callable[[list[Point]], list[Point]]


def sneakers(pen: Pen, look: Look, product: Product, random: Random) -> None:
    high = product.cut == "hightop"
    rubber: RGB = (244, 242, 236) if random.random() < 0.8 else mix(look.main, (240, 236, 228), 0.75)
    lace: RGB = (250, 250, 246) if luminance(look.main) < 0.75 else (226, 224, 220)
    band = random.choice((look.light, look.deep, look.dark))
    swoosh = random.random()
    top = -0.80 if high else -0.16

    def shoe(move: Move) -> None:
        upper: list[Point] = [
            (-0.84, 0.34),
            (-0.86, 0.06),
            (-0.78, top + 0.06),
            (-0.74, top),
            (-0.40 if high else -0.36, top + 0.02),
            (-0.26, top + 0.24 if high else top + 0.10),
            (0.02, -0.02),
            (0.40, 0.10),
            (0.72, 0.17),
            (0.88, 0.28),
            (0.88, 0.40),
        ]
        pen.part(move(smooth(upper[:-1], closed=False) + upper[-1:]), look.cloth, look.dark, width=0.018)
        pen.part(
            move(smooth([(-0.72, top + 0.01), (-0.56, top - 0.05), (-0.42, top + 0.02), (-0.56, top + 0.06)])),
            look.deep,
        )
        pen.part(
            move([(0.58, 0.36), (0.60, 0.18), (0.72, 0.17), (0.86, 0.26), (0.89, 0.38)]),
            rubber if swoosh < 0.5 else look.main,
            look.dark,
        )
        pen.part(move([(-0.86, 0.34), (-0.87, 0.08), (-0.68, 0.10), (-0.62, 0.34)]), band)
        if swoosh < 0.65:
            stripe = smooth([(-0.40, 0.26), (0.06, 0.20), (0.34, 0.12), (0.10, 0.29), (-0.30, 0.33)])
            pen.part(move(stripe), rubber if luminance(look.main) < 0.7 else look.dark)
        else:
            for i in range(3):
                x = -0.34 + i * 0.16
                pen.part(move([(x, 0.34), (x + 0.07, 0.34), (x + 0.16, 0.08), (x + 0.09, 0.08)]), look.light)
        pen.streak(move([(-0.70, top + 0.12), (-0.66, 0.28)]), 0.25, width=0.10)
        pen.streak(move([(-0.56, 0.32), (0.60, 0.34)]), -0.34, width=0.10)
        laces = 6 if high else 4
        for i in range(laces):
            share = i / (laces - 1)
            x, y = 0.30 - share * (0.60 if high else 0.50), 0.09 - share * (0.62 if high else 0.14)
            pen.line(move([(x - 0.05, y + 0.07), (x + 0.07, y - 0.04)]), lace, width=0.040)
        sole = [
            (-0.90, 0.33),
            (-0.40, 0.37),
            (0.40, 0.38),
            (0.92, 0.34),
            (0.95, 0.44),
            (0.84, 0.52),
            (-0.84, 0.52),
            (-0.92, 0.46),
        ]
        pen.part(move(sole), rubber, darker(rubber, 0.25), width=0.016)
        pen.line(move([(-0.90, 0.45), (0.92, 0.44)]), darker(rubber, 0.18), width=0.018)

    pair(shoe, random, down=0.30 if high else 0.08)


def pair(shoe: Callable[[Move], None], random: Random, *, down: float, apart: float = 0.26) -> None:
    """One large, or one behind the other, or heel to heel."""
    arrangement = random.random()
    if arrangement < 0.4:
        shoe(lambda points: moved(points, 0, down))
    elif arrangement < 0.8 or apart > 0.3:
        shoe(lambda points: [(x * 0.84 - apart, y * 0.84 + down - 0.16) for x, y in points])
        shoe(lambda points: [(x * 0.84 + apart, y * 0.84 + down + 0.14) for x, y in points])
    else:
        shoe(lambda points: [(x * 0.74, y * 0.74 + down - 0.36) for x, y in mirror(points)])
        shoe(lambda points: [(x * 0.74, y * 0.74 + down + 0.34) for x, y in points])
