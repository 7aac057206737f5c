"""Hats and scarves."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker
from thanopg.catalog.pen import Pen, box, ellipse, smooth
from thanopg.catalog.product import Product


def hat(pen: Pen, look: Look, product: Product, random: Random) -> None:
    {"cap": _cap, "beanie": _beanie, "bucket": _bucket}[str(product.cut)](pen, look, random)


def _cap(pen: Pen, look: Look, random: Random) -> None:
    crown = smooth(
        [(-0.72, 0.22), (-0.70, -0.20), (-0.40, -0.56), (0.0, -0.64), (0.36, -0.50), (0.52, -0.10), (0.52, 0.22)],
        closed=False,
    )
    pen.part(crown, look.cloth, look.dark, width=0.022)
    pen.line(smooth([(-0.10, -0.63), (0.06, -0.30), (0.10, 0.22)], closed=False), look.dark, width=0.016)
    pen.line(smooth([(-0.10, -0.63), (-0.42, -0.32), (-0.48, 0.22)], closed=False), look.dark, width=0.016)
    pen.part(
        smooth([(0.06, 0.16), (0.52, 0.10), (0.94, 0.24), (1.04, 0.38), (0.66, 0.34), (0.10, 0.32)]),
        look.main,
        look.deep,
        width=0.024,
    )
    pen.part(ellipse(-0.10, -0.64, 0.05, 0.035), look.dark)
    pen.line([(-0.72, 0.20), (0.52, 0.20)], look.dark, width=0.02)
    if random.random() < 0.6:
        pen.part(ellipse(0.28, -0.14, 0.12, 0.13), look.light, look.dark)


def _beanie(pen: Pen, look: Look, random: Random) -> None:
    if random.random() < 0.6:
        puff: RGB = random.choice(((246, 242, 234), look.light))
        pen.part(ellipse(0, -0.74, 0.20, 0.20), puff, darker(puff, 0.2))
    pen.part(
        smooth(
            [(-0.64, 0.40), (-0.62, -0.16), (-0.34, -0.58), (0, -0.66), (0.34, -0.58), (0.62, -0.16), (0.64, 0.40)],
            closed=False,
        ),
        look.cloth,
        look.dark,
        width=0.022,
    )
    for i in range(-5, 6):
        pen.line(
            smooth([(i * 0.035, -0.60), (i * 0.10, -0.2), (i * 0.116, 0.30)], closed=False), look.dark, width=0.010
        )
    pen.part(box(-0.70, 0.20, 0.70, 0.60, radius=0.08), look.main, look.dark, width=0.022)
    for i in range(-9, 10):
        pen.line([(i * 0.072, 0.23), (i * 0.072, 0.57)], look.dark, width=0.014)


def _bucket(pen: Pen, look: Look, random: Random) -> None:
    brim = random.uniform(0.88, 1.0)
    pen.part(
        smooth([(-0.56, 0.10), (0.56, 0.10), (brim, 0.46), (0.5, 0.60), (0, 0.65), (-0.5, 0.60), (-brim, 0.46)]),
        look.cloth,
        look.dark,
        width=0.022,
    )
    for share in (0.80, 0.90):
        pen.line(ellipse(0, 0.30, brim * share, 0.31 * share, start=15, end=165), look.dark, width=0.010)
    pen.part(
        [
            (-0.60, 0.16),
            (-0.44, -0.48),
            (-0.30, -0.56),
            (0.30, -0.56),
            (0.44, -0.48),
            (0.60, 0.16),
            (0.3, 0.25),
            (0, 0.28),
            (-0.3, 0.25),
        ],
        look.cloth,
        look.dark,
        width=0.02,
    )
    pen.part(
        [
            (-0.62, 0.20),
            (-0.59, 0.05),
            (-0.3, 0.14),
            (0, 0.17),
            (0.3, 0.14),
            (0.59, 0.05),
            (0.62, 0.20),
            (0.3, 0.29),
            (0, 0.32),
            (-0.3, 0.29),
        ],
        look.dark,
    )


def scarf(pen: Pen, look: Look, product: Product, random: Random) -> None:
    tails = ((0.06, 0.42, random.uniform(0.66, 0.80)), (-0.42, -0.04, random.uniform(0.78, 0.92)))
    for left, right, end in tails:
        lean = random.uniform(-0.06, 0.06)
        for i in range(7):
            x = left + 0.03 + i * (right - left - 0.06) / 6
            pen.rod([(x + lean, end - 0.02), (x + lean * 1.3, end + 0.14)], look.main, width=0.026)
        pen.part(
            [(left, -0.40), (right, -0.40), (right + lean, end), (left + lean, end)], look.cloth, look.dark, width=0.018
        )
        for share in (0.33, 0.66):
            x = left + share * (right - left)
            pen.line([(x, -0.3), (x + lean, end - 0.05)], look.dark, width=0.010)
    pen.part(
        smooth(
            [
                (-0.66, -0.52),
                (-0.44, -0.86),
                (0, -0.94),
                (0.44, -0.86),
                (0.66, -0.52),
                (0.46, -0.20),
                (0, -0.08),
                (-0.46, -0.20),
            ]
        ),
        look.cloth,
        look.dark,
        width=0.022,
    )
    pen.part(smooth([(-0.34, -0.64), (0, -0.76), (0.34, -0.64), (0.22, -0.50), (0, -0.46), (-0.22, -0.50)]), look.deep)
    for y in (0.16, 0.28):
        pen.line(ellipse(0, -0.52, 0.58, y, start=10, end=170), look.dark, width=0.014)
    pen.part(smooth([(-0.24, -0.34), (0.26, -0.38), (0.34, -0.10), (-0.18, -0.02)]), look.cloth, look.dark, width=0.02)
