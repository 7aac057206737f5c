"""Sandals, seen from above, and heels."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.footwear import Move, pair
from thanopg.catalog.palette import RGB, darker, lighter
from thanopg.catalog.pen import Pen, Point, box, smooth
from thanopg.catalog.product import Product


def sandals(pen: Pen, look: Look, product: Product, random: Random) -> None:
    crossed = product.cut == "crossed"
    bed: RGB = random.choice(((206, 172, 128), (222, 196, 160), (120, 92, 70), (214, 210, 202)))
    outline: list[Point] = [
        (0, -0.92),
        (0.24, -0.84),
        (0.31, -0.52),
        (0.22, 0.0),
        (0.25, 0.5),
        (0.18, 0.82),
        (0, 0.92),
        (-0.18, 0.82),
        (-0.22, 0.5),
        (-0.26, 0.0),
        (-0.28, -0.5),
        (-0.18, -0.84),
    ]
    for side in (-1, 1):
        lean = random.uniform(-0.02, 0.05)

        def move(points: list[Point], side: int = side, lean: float = lean) -> list[Point]:
            return [(side * (0.42 + x + y * lean), y) for x, y in points]

        pen.part(move(smooth(outline)), bed, darker(bed, 0.35), width=0.03)
        pen.part(move(smooth([(x * 0.78, y * 0.88) for x, y in outline])), lighter(bed, 0.18))
        straps: list[list[Point]] = [
            [(-0.34, -0.16), (-0.30, -0.38), (0.34, -0.60), (0.34, -0.34)],
            [(0.32, -0.14), (0.34, -0.36), (-0.34, -0.62), (-0.34, -0.36)],
            [(-0.30, 0.26), (0, 0.18), (0.30, 0.26), (0.30, 0.02), (0, -0.06), (-0.31, 0.02)],
        ]
        if not crossed:
            straps = [[(-0.36, 0.02), (0, -0.08), (0.37, 0.0), (0.37, -0.56), (0, -0.66), (-0.36, -0.54)]]
        for strap in straps:
            pen.part(move(strap), look.cloth, look.dark, width=0.02)
        if crossed:
            pen.part(move(box(0.13, 0.06, 0.27, 0.22, radius=0.03)), (206, 178, 110), look.deep, width=0.012)
        else:
            pen.streak(move([(-0.30, -0.40), (0.30, -0.44)]), 0.4, width=0.12)
        pen.streak(move([(-0.10, 0.40), (-0.08, 0.80)]), 0.22, width=0.12)


def heels(pen: Pen, look: Look, product: Product, random: Random) -> None:
    kind = str(product.heel)
    tall = random.uniform(-0.10, -0.02) if kind == "low" else random.uniform(-0.52, -0.40)
    strap = random.random() < 0.4

    def heel(move: Move) -> None:
        _below(pen, look, move, kind, tall)
        shell: list[Point] = [
            (-0.84, tall),
            (-0.86, tall + 0.20),
            (-0.76, tall + 0.36),
            (-0.44, min(tall + 0.46, 0.44)),
            (-0.06, 0.36),
            (0.30, 0.48),
            (0.86, 0.50),
            (0.94, 0.44),
            (0.70, 0.32),
            (0.40, 0.20),
            (0.28, 0.16),
            (0.16, 0.30),
            (-0.10, 0.16),
            (-0.44, tall + 0.26 if kind != "low" else 0.10),
            (-0.66, tall + 0.06),
        ]
        pen.part(move(smooth(shell)), look.cloth, look.dark, width=0.018)
        inside = [(-0.62, tall + 0.12), (-0.40, tall + 0.28), (-0.08, 0.17), (0.16, 0.30), (0.24, 0.20)]
        inside += [(-0.06, 0.10), (-0.40, tall + 0.16)]
        if kind != "low":
            pen.part(move(smooth(inside)), look.deep)
        pen.line(move([(0.34, 0.45), (0.90, 0.49)]), look.deep, width=0.026)
        pen.line(move([(0.46, 0.29), (0.70, 0.37)]), look.light, width=0.026)
        pen.streak(move([(-0.74, tall + 0.1), (-0.70, tall + 0.28)]), 0.5, width=0.08)
        pen.streak(move([(0.40, 0.30), (0.74, 0.40)]), 0.5, width=0.06)
        if strap:
            around = [(-0.80, tall), (-0.62, tall - 0.12), (-0.40, tall - 0.02), (-0.36, tall + 0.22)]
            pen.rod(move(smooth(around, closed=False)), look.main, width=0.05)

    pair(heel, random, down=0.02 if kind != "low" else -0.16)


def _below(pen: Pen, look: Look, move: Move, kind: str, tall: float) -> None:
    """What the shoe stands on: a thin high heel, a small one, or a wedge."""
    if kind == "wedge":
        cork: RGB = (196, 152, 104)
        wedge = [(-0.86, tall + 0.16), (-0.40, tall + 0.40), (0.0, 0.34), (0.40, 0.44), (0.86, 0.48)]
        pen.part(move([*wedge, (0.82, 0.60), (-0.80, 0.62)]), cork, darker(cork, 0.4), width=0.02)
        for i in range(3):
            y = tall + 0.46 + (0.58 - tall - 0.46) * (i + 0.3) / 3
            pen.line(move([(-0.80, y), (-0.34 + 0.36 * i, y)]), darker(cork, 0.25), width=0.02)
    elif kind == "low":
        pen.part(move([(-0.82, tall + 0.24), (-0.56, tall + 0.34), (-0.64, 0.54), (-0.76, 0.54)]), look.deep)
    else:
        pen.part(move([(-0.82, tall + 0.24), (-0.56, tall + 0.36), (-0.68, 0.54), (-0.76, 0.54)]), look.dark)
