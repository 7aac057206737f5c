"""Watches, belts and sunglasses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance
from thanopg.catalog.pen import Pen, Point, box, ellipse, mirror, smooth
from thanopg.catalog.product import Product

BRASS: RGB = (206, 172, 98)


def watch(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal = product.colour in ("gold", "silver")
    for top, bottom in ((-1.0, -0.30), (0.30, 1.0)):
        _strap(pen, look, top, bottom, links=product.material == "metal")
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


def _strap(pen: Pen, look: Look, top: float, bottom: float, *, links: bool) -> None:
    """Half of a watch's band: links of metal that shine, or leather with a seam and holes."""
    outer, inner = (0.20, 0.28) if top < 0 else (0.28, 0.20)
    pen.part([(-outer, top), (outer, top), (inner, bottom), (-inner, bottom)], look.cloth, look.dark, width=0.024)
    if links:
        for i in range(7):
            y = top + (bottom - top) * (i + 0.5) / 7
            pen.part(box(-0.26, y - 0.036, -0.10, y + 0.036, radius=0.02), look.light, look.deep, width=0.018)
            pen.part(box(-0.085, y - 0.036, 0.085, y + 0.036, radius=0.02), look.main, look.deep, width=0.018)
            pen.part(box(0.10, y - 0.036, 0.26, y + 0.036, radius=0.02), look.light, look.deep, width=0.018)
        pen.streak([(-0.16, top), (-0.18, bottom)], 0.45, width=0.09)
        return
    thread = lighter(look.main, 0.55) if luminance(look.main) < 0.6 else look.deep
    for x in (-0.18, 0.18):
        for i in range(6):
            y = top + (bottom - top) * i / 6
            pen.line([(x, y + 0.02), (x, y + 0.08)], thread, width=0.022)
    pen.streak([(-0.06, top), (-0.07, bottom)], 0.26, width=0.12)
    if top > 0:
        for i in range(4):
            pen.part(ellipse(0, top + 0.20 + i * 0.13, 0.03, 0.03), look.deep)


def belt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal: RGB = random.choice((BRASS, (196, 200, 206)))
    braided = product.material == "braided"
    if random.random() < 0.5:
        turns = random.choice((2, 3))
        for i in range(turns):
            share = 1 - i * 0.26
            coil = ellipse(0, 0.06, 0.72 * share, 0.60 * share)
            for width, colour in ((0.17, look.deep), (0.13, look.main)):
                pen.rod(coil, colour, width=width)
            _surface(pen, look, coil, 0.13, braided=braided)
        at: Point = (0.0, 0.66)
    else:
        ring = ellipse(0, -0.12, 0.86, 0.44, start=150, end=390)
        pen.rod(ring, look.deep, width=0.22)
        front = ellipse(0, -0.12, 0.88, 0.52, start=-10, end=190)
        pen.rod(front, look.dark, width=0.25)
        pen.rod(front, look.main, width=0.21)
        _surface(pen, look, front, 0.21, braided=braided)
        for i in range(0 if braided else 4):
            x, y = ellipse(0, -0.12, 0.88, 0.52, start=44 + i * 9, end=45 + i * 9)[0]
            pen.part(ellipse(x, y, 0.024, 0.024), look.deep)
        at = (0.0, 0.40)
    x, y = at
    tail = [(x, y - 0.10), (x + 0.62, y - 0.16), (x + 0.70, y - 0.06), (x + 0.62, y + 0.06), (x, y + 0.10)]
    pen.part(tail, look.cloth, look.dark, width=0.02)
    for i in range(3):
        pen.part(ellipse(x + 0.30 + i * 0.11, y - 0.04, 0.022, 0.022), look.deep)
    if braided:
        _surface(pen, look, [(x + 0.10, y - 0.02), (x + 0.62, y - 0.06)], 0.17, braided=True)
    buckle = box(x - 0.20, y - 0.20, x + 0.14, y + 0.20, radius=0.06)
    pen.part(buckle, metal, darker(metal, 0.4), width=0.02)
    pen.part(box(x - 0.12, y - 0.12, x + 0.06, y + 0.12, radius=0.02), look.deep)
    pen.rod([(x - 0.16, y), (x + 0.12, y)], lighter(metal, 0.3), width=0.04)


def _surface(pen: Pen, look: Look, course: Sequence[Point], width: float, *, braided: bool) -> None:
    """Along a strap: a braid of light and dark, or smooth leather with a gloss."""
    if not braided:
        pen.streak(course, 0.40, width=width * 0.35)
        return
    length = sum(math.dist(a, b) for a, b in pairwise(course))
    count = max(4, round(length / 0.15))
    steps = [course[min(len(course) - 1, round(i * (len(course) - 1) / count))] for i in range(count + 1)]
    if len(course) == 2:
        (ax, ay), (bx, by) = course
        steps = [(ax + (bx - ax) * i / count, ay + (by - ay) * i / count) for i in range(count + 1)]
    for i, ((ax, ay), (bx, by)) in enumerate(pairwise(steps)):
        across, down = bx - ax, by - ay
        size = math.hypot(across, down) or 1.0
        nx, ny = -down / size * width * 0.5, across / size * width * 0.5
        for side in (1, -1):
            slant = [(ax + nx * side, ay + ny * side), (bx, by)]
            pen.line(slant, look.deep if i % 2 else look.light, width=0.045)


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
