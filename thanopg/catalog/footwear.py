"""Shoes, seen from the side, alone or as a pair; sandals from above. The toe points right."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance, mix
from thanopg.catalog.pen import Pen, Point, box, ellipse, mirror, moved, smooth
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

    _pair(shoe, random, down=0.30 if high else 0.08)


def boots(pen: Pen, look: Look, product: Product, random: Random) -> None:
    tall = product.cut == "tall"
    top = -0.98 if tall else -0.36
    fur = random.random() < 0.7
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
        pen.part(
            move(smooth(body[:4], closed=False, steps=3) + smooth(body[3:], closed=False)),
            look.cloth,
            look.dark,
            width=0.02,
        )
        pen.part(
            move(smooth([(0.28, 0.50), (0.30, 0.22), (0.46, 0.15), (0.64, 0.30), (0.66, 0.50)], closed=False)),
            look.dark,
        )
        count = 6 if tall else 4
        for i in range(count):
            y = top + 0.24 + i * ((0.06 - top - 0.24) / count)
            pen.line(move([(-0.10, y + 0.03), (0.06, y - 0.02)]), look.light, width=0.034)
        pen.line(move([(-0.10, top + 0.16), (-0.08, -0.02), (0.10, 0.16)]), look.dark, width=0.016)
        pen.line(move([(-0.61, 0.16), (-0.30, 0.20), (-0.24, 0.50)]), look.dark, width=0.016)
        tread = [(-0.66, 0.46), (0.70, 0.46), (0.72, 0.60), (0.64, 0.66), (-0.64, 0.66), (-0.68, 0.58)]
        pen.part(move(tread), sole, darker(sole, 0.4))
        for i in range(9):
            x = -0.56 + i * 0.14
            pen.line(move([(x, 0.60), (x, 0.66)]), lighter(sole, 0.3), width=0.03)
        if fur:
            tufts = [
                (-0.64 + i * 0.084 + random.uniform(-0.01, 0.01), top + random.uniform(-0.03, 0.05)) for i in range(10)
            ]
            for x, y in tufts:
                pen.part(move(ellipse(x, y, 0.085, 0.095)), wool)
            for x, y in tufts[::2]:
                pen.line(move([(x, y - 0.04), (x + 0.02, y + 0.05)]), darker(wool, 0.15), width=0.012)
        else:
            pen.part(move(box(-0.60, top - 0.03, 0.08, top + 0.08)), look.deep)

    _pair(boot, random, down=0.18 if tall else -0.08, apart=0.40)


def sandals(pen: Pen, look: Look, product: Product, random: Random) -> None:
    crossed = random.random() < 0.5
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
        straps: list[list[Point]]
        if crossed:
            straps = [
                [(-0.34, -0.16), (-0.30, -0.38), (0.34, -0.60), (0.34, -0.34)],
                [(0.32, -0.14), (0.34, -0.36), (-0.34, -0.62), (-0.34, -0.36)],
            ]
        else:
            straps = [[(-0.35, -0.30), (0, -0.40), (0.36, -0.34), (0.36, -0.64), (0, -0.70), (-0.35, -0.60)]]
        straps.append([(-0.30, 0.26), (0, 0.18), (0.30, 0.26), (0.30, 0.02), (0, -0.06), (-0.31, 0.02)])
        for strap in straps:
            pen.part(move(strap), look.cloth, look.dark, width=0.02)
        pen.part(move(box(0.13, 0.06, 0.27, 0.22, radius=0.03)), (206, 178, 110), look.deep, width=0.012)


def heels(pen: Pen, look: Look, product: Product, random: Random) -> None:
    tall = random.uniform(-0.46, -0.30)
    strap = random.random() < 0.4

    def heel(move: Move) -> None:
        pen.part(move([(-0.80, tall + 0.24), (-0.58, tall + 0.34), (-0.66, 0.50), (-0.73, 0.50)]), look.dark)
        shell: list[Point] = [
            (-0.84, tall),
            (-0.86, tall + 0.20),
            (-0.76, tall + 0.36),
            (-0.44, tall + 0.40),
            (-0.06, 0.30),
            (0.30, 0.48),
            (0.86, 0.50),
            (0.94, 0.44),
            (0.70, 0.32),
            (0.40, 0.20),
            (0.28, 0.16),
            (0.16, 0.30),
            (-0.10, 0.16),
            (-0.44, tall + 0.26),
            (-0.66, tall + 0.06),
        ]
        pen.part(move(smooth(shell)), look.cloth, look.dark, width=0.018)
        pen.part(
            move(
                smooth(
                    [
                        (-0.62, tall + 0.12),
                        (-0.40, tall + 0.28),
                        (-0.08, 0.17),
                        (0.16, 0.30),
                        (0.24, 0.20),
                        (-0.06, 0.10),
                        (-0.40, tall + 0.16),
                    ]
                )
            ),
            look.deep,
        )
        pen.line(move([(0.34, 0.45), (0.90, 0.49)]), look.deep, width=0.026)
        pen.line(move([(0.46, 0.29), (0.70, 0.37)]), look.light, width=0.026)
        if strap:
            pen.rod(
                move(
                    smooth(
                        [(-0.80, tall), (-0.62, tall - 0.12), (-0.40, tall - 0.02), (-0.36, tall + 0.22)], closed=False
                    )
                ),
                look.main,
                width=0.05,
            )

    _pair(heel, random, down=0.02)


def _pair(shoe: Callable[[Move], None], random: Random, *, down: float, apart: float = 0.26) -> None:
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
