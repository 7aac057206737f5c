"""Bags, hats and scarves."""

from __future__ import annotations

from random import Random

from thanopg.catalog.accessories import BRASS
from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker
from thanopg.catalog.pen import Pen, box, ellipse, smooth, whole
from thanopg.catalog.product import Product


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
        pen.part(ellipse(x, -0.04, 0.022, 0.022), BRASS)
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
    pen.part(box(0.22, 0.24, 0.27, 0.40, radius=0.01), BRASS)
    if random.random() < 0.5:
        pen.part(box(-0.11, -0.24, 0.11, -0.08, radius=0.03), look.light, look.dark)


def _crossbody(pen: Pen, look: Look, random: Random) -> None:
    strap = smooth([(-0.60, 0.0), (-0.50, -0.62), (0.0, -0.96), (0.50, -0.62), (0.60, 0.0)], closed=False)
    if random.random() < 0.4:
        pen.tube(strap, (136, 106, 40), BRASS, (250, 232, 180), width=0.05)
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
    pen.part(box(-0.09, 0.28, 0.09, 0.46, radius=0.03), BRASS, darker(BRASS, 0.4))
    for x in (-0.61, 0.61):
        pen.part(ellipse(x, -0.04, 0.05, 0.05), BRASS, darker(BRASS, 0.4))


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
