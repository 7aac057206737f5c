"""Coats: of wool with lapels and buttons, or padded and quilted with a zip."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import darker, lighter
from thanopg.catalog.pen import Pen, Point, both, box, ellipse, smooth, whole
from thanopg.catalog.product import Product
from thanopg.catalog.tailoring import Place, hanger, sleeves


def coat(pen: Pen, look: Look, product: Product, random: Random) -> None:
    short = product.length == "short"
    hem, lift = (random.uniform(0.45, 0.55), 0.18) if short else (random.uniform(1.05, 1.14), -0.10)
    padded = product.material == "padded"
    width = (0.46 if short else random.uniform(0.50, 0.58)) + (0.03 if padded else 0)

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x, y + lift) for x, y in points]

    hanger(pen, place, top=-0.92, half=0.46, random=random, chance=0.25)
    thick = 1.6 if padded else 1.3
    sleeves(pen, look, place, shoulder=0.50, top=-0.76, armpit=-0.28, long=True, random=random, cuff=True, thick=thick)
    if padded:
        _padded(pen, look, place, width, hem)
    else:
        _tailored(pen, look, place, width, hem, random)


def _tailored(pen: Pen, look: Look, place: Place, width: float, hem: float, random: Random) -> None:
    body = [(0, -0.88), (0.16, -0.90), (0.50, -0.78), (0.44, -0.28), (0.41, 0.0), (width, hem), (0, hem + 0.02)]
    pen.part(place(whole(body)), look.cloth, look.dark)
    for fold in both([(0.36, -0.05), (width * 0.62, hem), (width * 0.84, hem)]):
        pen.shade(place(fold), -0.30)
    pen.streak(place([(0.05, -0.2), (0.06, hem)]), -0.32, width=0.07)
    pen.part(place([(-0.15, -0.90), (0.15, -0.90), (0.03, -0.28)]), look.deep)
    pen.line(place([(0.03, -0.28), (0.03, hem)]), look.dark, width=0.024)
    for lapel in both([(0.03, -0.28), (0.12, -0.92), (0.28, -0.86), (0.34, -0.60), (0.25, -0.56)]):
        pen.part(place(lapel), look.cloth, look.dark, width=0.022)
    button = darker(look.main, 0.6) if sum(look.main) > 300 else lighter(look.main, 0.4)
    columns = (-0.14, 0.17) if random.random() < 0.5 else (0.10,)
    for x in columns:
        for i in range(3):
            pen.part(place(ellipse(x, -0.16 + i * 0.22, 0.036, 0.036)), button, look.deep, width=0.01)
    for flap in both(box(0.20, 0.14, 0.38, 0.21)):
        pen.part(place(flap), look.main, look.dark)
    if random.random() < 0.4:
        pen.part(place(box(-0.42, -0.03, 0.42, 0.06)), look.main, look.dark)
        pen.part(place(box(-0.05, -0.05, 0.07, 0.08)), look.deep)


def _padded(pen: Pen, look: Look, place: Place, width: float, hem: float) -> None:
    """Pillows one below the other."""
    rows = max(4, round((hem + 0.80) / 0.26))
    step = (hem + 0.80) / rows
    edge: list[Point] = []
    for i in range(rows):
        y = -0.80 + i * step
        reach = 0.46 + (width - 0.46) * i / rows
        edge += [(reach - 0.02, y), (reach + 0.035, y + step * 0.5)]
    body = [(0, -0.86), (0.20, -0.90), *smooth([*edge, (width - 0.02, hem)], closed=False, steps=4), (0, hem)]
    pen.part(place(whole(body)), look.cloth, look.dark)
    for i in range(rows):
        y = -0.80 + i * step
        reach = 0.46 + (width - 0.46) * i / rows
        pen.streak(place([(-reach, y + step * 0.40), (reach, y + step * 0.40)]), 0.34, width=step * 0.30)
        pen.streak(place([(-reach, y + step * 0.90), (reach, y + step * 0.90)]), -0.50, width=step * 0.30)
        if i:
            seam = smooth([(-reach, y), (0, y + 0.03), (reach, y)], closed=False)
            pen.line(place(seam), look.deep, width=0.026)
    stand = [(-0.22, -0.80), (-0.20, -1.0), (0, -0.97), (0.20, -1.0), (0.22, -0.80), (0, -0.74)]
    pen.part(place(stand), look.main, look.dark, width=0.022)
    pen.line(place([(0, -0.96), (0, hem)]), look.deep, width=0.05)
    pen.line(place([(0, -0.96), (0, hem)]), (214, 214, 218), width=0.020)
