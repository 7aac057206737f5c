"""Bags, hats, scarves, watches, belts and sunglasses."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance
from thanopg.catalog.pen import Pen, Point, box, ellipse, mirror, smooth, whole
from thanopg.catalog.product import Product

_BRASS: RGB = (206, 172, 98)


def bag(pen: Pen, look: Look, product: Product, random: Random) -> None:
    {"tote": _tote, "backpack": _backpack, "crossbody": _crossbody}[str(product.cut)](pen, look, random)


def _tote(pen: Pen, look: Look, random: Random) -> None:
    reach = random.uniform(-0.98, -0.78)
    for back in (True, False):
        dx = 0.03 if back else 0.0
        handle = smooth(
            [
                (-0.34 + dx, -0.12),
                (-0.28 + dx, reach + 0.14),
                (0 + dx, reach),
                (0.28 + dx, reach + 0.14),
                (0.34 + dx, -0.12),
            ],
            closed=False,
        )
        pen.rod(handle, look.deep if back else look.dark, width=0.075)
    bottom = random.uniform(0.60, 0.70)
    pen.part([(-0.64, -0.28), (0.64, -0.28), (bottom, 0.82), (-bottom, 0.82)], look.cloth, look.dark, width=0.022)
    pen.part([(-0.64, -0.28), (0.64, -0.28), (0.645, -0.18), (-0.645, -0.18)], look.main, look.dark)
    for x in (-0.34, 0.34):
        pen.part(box(x - 0.06, -0.24, x + 0.06, 0.02, radius=0.02), look.dark)
        pen.part(ellipse(x, -0.04, 0.022, 0.022), _BRASS)
    if random.random() < 0.5:
        pen.part(box(-0.14, 0.20, 0.14, 0.32, radius=0.02), look.light, look.dark, width=0.012)


def _backpack(pen: Pen, look: Look, random: Random) -> None:
    pen.rod(ellipse(0, -0.80, 0.16, 0.15, start=180, end=360), look.dark, width=0.07)
    for strap in ([(-0.52, -0.52), (-0.68, -0.1), (-0.62, 0.5)], [(0.52, -0.52), (0.68, -0.1), (0.62, 0.5)]):
        pen.rod(smooth(strap, closed=False), look.deep, width=0.11)
    pen.part(
        smooth(whole([(0, -0.84), (0.36, -0.78), (0.56, -0.5), (0.60, 0.2), (0.56, 0.78), (0, 0.86)])),
        look.cloth,
        look.dark,
        width=0.022,
    )
    pen.line(
        smooth([(-0.54, -0.28), (-0.3, -0.40), (0, -0.43), (0.3, -0.40), (0.54, -0.28)], closed=False),
        look.dark,
        width=0.03,
    )
    pen.part(box(-0.42, 0.10, 0.42, 0.70, radius=0.10), look.cloth, look.dark, width=0.024)
    pen.line([(-0.40, 0.26), (0.40, 0.26)], look.deep, width=0.03)
    pen.part(box(0.22, 0.24, 0.27, 0.40, radius=0.01), _BRASS)
    if random.random() < 0.5:
        pen.part(box(-0.11, -0.24, 0.11, -0.08, radius=0.03), look.light, look.dark)


def _crossbody(pen: Pen, look: Look, random: Random) -> None:
    strap = smooth([(-0.60, 0.0), (-0.50, -0.62), (0.0, -0.96), (0.50, -0.62), (0.60, 0.0)], closed=False)
    if random.random() < 0.4:
        pen.tube(strap, (136, 106, 40), _BRASS, (250, 232, 180), width=0.05)
    else:
        pen.rod(strap, look.dark, width=0.055)
    pen.part(box(-0.68, -0.16, 0.68, 0.68, radius=0.12), look.cloth, look.dark, width=0.022)
    flap = [
        (-0.68, -0.10),
        (-0.60, -0.18),
        (0.60, -0.18),
        (0.68, -0.10),
        (0.62, 0.22),
        (0.30, 0.36),
        (0, 0.40),
        (-0.30, 0.36),
        (-0.62, 0.22),
    ]
    pen.part(flap, look.cloth, look.dark, width=0.026)
    pen.part(box(-0.09, 0.28, 0.09, 0.46, radius=0.03), _BRASS, darker(_BRASS, 0.4))
    for x in (-0.61, 0.61):
        pen.part(ellipse(x, -0.04, 0.05, 0.05), _BRASS, darker(_BRASS, 0.4))


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
    metal: RGB = random.choice((_BRASS, (196, 200, 206)))
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
