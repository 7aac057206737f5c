"""Watches, belts and sunglasses."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance
from thanopg.catalog.pen import Pen, Point, box, ellipse, mirror, smooth
from thanopg.catalog.product import Product

BRASS: RGB = (206, 172, 98)


def watch(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal = product.colour in ("gold", "silver")
    links = metal or random.random() < 0.2
    for top, bottom in ((-1.0, -0.30), (0.30, 1.0)):
        outer, inner = (0.19, 0.27) if top < 0 else (0.27, 0.19)
        pen.part([(-outer, top), (outer, top), (inner, bottom), (-inner, bottom)], look.cloth, look.dark, width=0.024)
        for i in range(1, 7):
            y = top + (bottom - top) * i / 7
            if links:
                pen.line([(-0.22, y), (0.22, y)], look.dark, width=0.030)
            elif i in (2, 4) and top > 0:
                pen.part(ellipse(0, y, 0.03, 0.03), look.deep)
        if links:
            pen.line([(-0.07, top), (-0.08, bottom)], look.light, width=0.03)
        else:
            for x in (-0.17, 0.17):
                pen.line([(x, top), (x, bottom)], look.light, width=0.010)
    steel: RGB = look.main if metal else random.choice(((196, 200, 206), (212, 178, 96), look.main))
    face: RGB = random.choice(((250, 249, 244), (250, 249, 244), (34, 38, 48)))
    if product.cut == "roundface":
        case, dial = ellipse(0, 0, 0.46, 0.46), ellipse(0, 0, 0.36, 0.36)
    else:
        case, dial = box(-0.42, -0.46, 0.42, 0.46, radius=0.09), box(-0.32, -0.36, 0.32, 0.36, radius=0.05)
    pen.part(box(0.42, -0.07, 0.53, 0.07, radius=0.02), steel, darker(steel, 0.4))
    pen.part(case, steel, darker(steel, 0.35), width=0.026)
    pen.part(dial, face, darker(steel, 0.35), width=0.018)
    ink: RGB = (40, 42, 50) if luminance(face) > 0.5 else (240, 238, 230)
    for tick in range(12):
        x, y = ellipse(0, 0, 1, 1, start=tick * 30, end=tick * 30 + 1)[0]
        pen.line([(x * 0.26, y * 0.26), (x * 0.31, y * 0.31)], ink, width=0.02)
    for reach, width in ((0.16, 0.036), (0.24, 0.024)):
        x, y = ellipse(0, 0, reach, reach, start=random.uniform(0, 360), end=400)[0]
        pen.line([(0, 0), (x, y)], ink, width=width)


def belt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal: RGB = random.choice((BRASS, (196, 200, 206)))
    if random.random() < 0.5:
        turns = random.choice((2, 3))
        for i in range(turns):
            share = 1 - i * 0.26
            for width, colour in ((0.17, look.deep), (0.13, look.main)):
                pen.rod(ellipse(0, 0.06, 0.72 * share, 0.60 * share), colour, width=width)
        at: Point = (0.0, 0.66)
    else:
        ring = ellipse(0, -0.12, 0.86, 0.44, start=150, end=390)
        pen.rod(ring, look.deep, width=0.22)
        front = ellipse(0, -0.12, 0.88, 0.52, start=-10, end=190)
        pen.rod(front, look.dark, width=0.25)
        pen.rod(front, look.main, width=0.21)
        for i in range(4):
            x, y = ellipse(0, -0.12, 0.88, 0.52, start=44 + i * 9, end=45 + i * 9)[0]
            pen.part(ellipse(x, y, 0.024, 0.024), look.deep)
        at = (0.0, 0.40)
    x, y = at
    tail = [(x, y - 0.10), (x + 0.62, y - 0.16), (x + 0.70, y - 0.06), (x + 0.62, y + 0.06), (x, y + 0.10)]
    pen.part(tail, look.cloth, look.dark, width=0.02)
    for i in range(3):
        pen.part(ellipse(x + 0.30 + i * 0.11, y - 0.04, 0.022, 0.022), look.deep)
    buckle = box(x - 0.20, y - 0.20, x + 0.14, y + 0.20, radius=0.06)
    pen.part(buckle, metal, darker(metal, 0.4), width=0.02)
    pen.part(box(x - 0.12, y - 0.12, x + 0.06, y + 0.12, radius=0.02), look.deep)
    pen.rod([(x - 0.16, y), (x + 0.12, y)], lighter(metal, 0.3), width=0.04)


def sunglasses(pen: Pen, look: Look, product: Product, random: Random) -> None:
    glass: RGB = random.choice(((46, 48, 58), (62, 52, 46), (40, 56, 66)))
    if product.cut == "roundlens":
        rim, lens = ellipse(0.46, 0.06, 0.42, 0.42), ellipse(0.46, 0.06, 0.31, 0.31)
    else:
        rim = [(0.06, -0.26), (0.92, -0.34), (0.92, 0.06), (0.80, 0.38), (0.24, 0.38), (0.10, 0.14)]
        lens = [(0.17, -0.16), (0.82, -0.22), (0.82, 0.04), (0.73, 0.28), (0.29, 0.28), (0.20, 0.10)]
    for side in (1, -1):
        arm = smooth([(side * 0.86, -0.20), (side * 0.98, -0.42), (side * 0.88, -0.60)], closed=False)
        pen.rod(arm, look.dark, width=0.10)
        pen.rod(arm, look.main, width=0.07)
    pen.rod(ellipse(0, 0.0, 0.14, 0.12, start=190, end=350), look.main, width=0.10)
    for shape, hole in ((rim, lens), (mirror(rim), mirror(lens))):
        pen.part(shape, look.cloth, look.dark, width=0.022)
        pen.part(hole, glass, look.deep, width=0.018)
        (x, y) = hole[0] if product.cut == "squarelens" else (hole[0][0] - 0.2, hole[0][1] - 0.1)
        pen.line([(x + 0.08, y + 0.20), (x + 0.20, y + 0.04)], lighter(glass, 0.45), width=0.035)
