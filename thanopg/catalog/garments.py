"""Dresses, tops and coats, drawn flat as a shop lays them out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import darker, lighter
from thanopg.catalog.pen import Pen, Point, both, box, ellipse, mirror, smooth, whole
from thanopg.catalog.product import Product

Place = Callable[[Sequence[Point]], list[Point]]


def dress(pen: Pen, look: Look, product: Product, random: Random) -> None:
    mini = product.length == "mini"
    hem = random.uniform(0.44, 0.56) if mini else random.uniform(1.04, 1.12)
    flare = random.uniform(0.42, 0.60) if mini else random.uniform(0.40, 0.62)
    lift = 0.20 if mini else -0.09
    bare = product.sleeve == "none"
    shoulder = 0.25 if bare else 0.35
    deep = random.uniform(0.14, 0.24)
    pointed = random.random() < 0.4
    neck = [(0.0, -0.88 + deep), (0.17, -0.90)] if pointed else [(0, -0.88 + deep), (0.10, -0.86 + deep), (0.16, -0.93)]

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x, y + lift) for x, y in points]

    if not bare:
        _sleeves(
            pen, look, place, shoulder=shoulder, top=-0.88, armpit=-0.50, long=product.sleeve == "long", random=random
        )
    arm = [(0.22, -0.70), (0.27, -0.50)] if bare else [(0.32, -0.62), (0.29, -0.48)]
    side = [
        (shoulder, -0.88),
        *arm,
        (0.22, -0.18),
        (0.25, -0.05),
        (flare * 0.80, hem - 0.30 * (hem + 0.1)),
        (flare, hem),
    ]
    pen.part(place(_behind(deep)), look.deep)
    body = [*neck, *smooth(side, closed=False), (flare * 0.5, hem + 0.05), (0, hem + 0.06)]
    pen.part(place(whole(body)), look.cloth, look.dark)
    if random.random() < 0.6:
        pen.part(place(box(-0.225, -0.20, 0.225, -0.12)), look.dark)
    else:
        pen.line(place([(-0.22, -0.15), (0, -0.12), (0.22, -0.15)]), look.dark)
    for share in (-0.55, -0.2, 0.2, 0.55):
        pen.line(place([(share * 0.36, -0.02), (share * flare * 0.9, hem - 0.06)]), look.dark, width=0.010)
    if not pointed:
        pen.line(place(_neckline(deep)), look.dark, width=0.022)


def tshirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    bare = product.sleeve == "none"
    shoulder = 0.36 if bare else 0.48
    hem = random.uniform(0.72, 0.84)
    width = random.uniform(0.42, 0.48)
    vneck = product.cut == "vneck"
    deep = random.uniform(0.34, 0.42) if vneck else random.uniform(0.11, 0.16)
    if not bare:
        _sleeves(
            pen, look, list, shoulder=shoulder, top=-0.70, armpit=-0.28, long=product.sleeve == "long", random=random
        )
    pen.part(_behind(deep, top=-0.80, half=0.20), look.deep)
    neck = (
        [(0.0, -0.78 + deep), (0.20, -0.80)]
        if vneck
        else smooth([(0, -0.77 + deep), (0.13, -0.80 + deep), (0.20, -0.80)], closed=False)
    )
    arm = [(0.31, -0.50), (0.37, -0.30), (width - 0.02, -0.20)] if bare else [(0.43, -0.45), (0.42, -0.25)]
    body = [*neck, (shoulder, -0.71), *arm, (width - 0.02, 0.2), (width, hem), (0.2, hem + 0.025), (0, hem + 0.03)]
    pen.part(whole(body), look.cloth, look.dark)
    collar = [(-x, y) for x, y in reversed(neck)] + neck
    pen.line(collar, look.dark, width=0.035)
    pen.line([(x, y + 0.05) for x, y in collar], look.dark, width=0.008)
    pen.line([(-width, hem - 0.05), (0, hem - 0.02), (width, hem - 0.05)], look.dark, width=0.010)
    _folds(pen, look, width, hem, random)


def shirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    hem = random.uniform(0.76, 0.88)
    width = random.uniform(0.40, 0.46)
    _sleeves(
        pen, look, list, shoulder=0.46, top=-0.72, armpit=-0.28, long=product.sleeve == "long", random=random, cuff=True
    )
    body = [
        (0, -0.80),
        (0.18, -0.82),
        (0.46, -0.72),
        (0.42, -0.25),
        (width - 0.02, 0.2),
        (width, hem - 0.12),
        (0.22, hem),
        (0, hem),
    ]
    pen.part(whole(body), look.cloth, look.dark)
    pen.part([(-0.18, -0.83), (0.18, -0.83), (0, -0.56)], look.deep)
    pen.line([(-0.045, -0.54), (-0.045, hem)], look.dark, width=0.012)
    pen.line([(0.045, -0.56), (0.045, hem)], look.dark, width=0.016)
    for flap in both([(0.02, -0.58), (0.19, -0.86), (0.27, -0.76), (0.17, -0.50)]):
        pen.part(flap, look.cloth, look.dark, width=0.018)
    button = lighter(look.main, 0.75) if sum(look.main) < 480 else darker(look.main, 0.55)
    for i in range(6):
        pen.part(ellipse(0, -0.44 + i * 0.22, 0.024, 0.024), button, look.dark, width=0.008)
    if random.random() < 0.6:
        pen.line([(0.14, -0.26), (0.34, -0.26), (0.34, -0.06), (0.24, 0.0), (0.14, -0.06), (0.14, -0.26)], look.dark)
    _folds(pen, look, width, hem, random)


def sweater(pen: Pen, look: Look, product: Product, random: Random) -> None:
    hem, width = random.uniform(0.66, 0.76), random.uniform(0.46, 0.52)
    tall = product.cut == "turtleneck"
    _sleeves(pen, look, list, shoulder=0.50, top=-0.64, armpit=-0.20, long=True, random=random, cuff=True, thick=1.22)
    if not tall:
        pen.part(_behind(0.14, top=-0.74, half=0.21), look.deep)
    neck = [(0, -0.64), (0.14, -0.67), (0.21, -0.75)]
    body = [
        *neck,
        (0.50, -0.64),
        (0.46, -0.20),
        (width, 0.2),
        (width - 0.02, hem - 0.12),
        (width - 0.05, hem),
        (0, hem + 0.02),
    ]
    pen.part(whole(body), look.cloth, look.dark)
    if tall:
        pen.part(box(-0.20, -1.0, 0.20, -0.64, radius=0.06), look.main, look.dark, width=0.02)
        pen.line([(-0.2, -0.78), (0.2, -0.78)], look.dark, width=0.016)
        for i in range(-4, 5):
            pen.line([(i * 0.042, -0.98), (i * 0.042, -0.67)], look.dark, width=0.008)
    else:
        for drop, line in ((0, 0.03), (0.06, 0.012)):
            arc = ellipse(0, -0.76 + drop, 0.215, 0.125, start=0, end=180)
            pen.line(arc, look.dark, width=line)
    pen.line([(-width, hem - 0.12), (width, hem - 0.12)], look.dark, width=0.016)
    for i in range(-11, 12):
        pen.line([(i * 0.042, hem - 0.12), (i * 0.041, hem + 0.01)], look.dark, width=0.008)
    if product.pattern == "plain":
        cable = look.dark if random.random() < 0.6 else look.light
        for x in (-0.24, 0.0, 0.24):
            for i in range(6):
                y = -0.48 + i * 0.16
                pen.line([(x - 0.045, y), (x, y + 0.075), (x + 0.045, y)], cable, width=0.012)


def coat(pen: Pen, look: Look, product: Product, random: Random) -> None:
    short = product.length == "short"
    hem, lift = (random.uniform(0.45, 0.55), 0.18) if short else (random.uniform(1.05, 1.14), -0.10)
    width = 0.46 if short else random.uniform(0.50, 0.58)

    def place(points: Sequence[Point]) -> list[Point]:
        return [(x, y + lift) for x, y in points]

    _sleeves(pen, look, place, shoulder=0.50, top=-0.76, armpit=-0.28, long=True, random=random, cuff=True, thick=1.3)
    body = [(0, -0.88), (0.16, -0.90), (0.50, -0.78), (0.44, -0.28), (0.41, 0.0), (width, hem), (0, hem + 0.02)]
    pen.part(place(whole(body)), look.cloth, look.dark)
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


def _sleeves(
    pen: Pen,
    look: Look,
    place: Place,
    *,
    shoulder: float,
    top: float,
    armpit: float,
    long: bool,
    random: Random,
    cuff: bool = False,
    thick: float = 1.0,
) -> None:
    open_arm = random.uniform(-0.05, 0.08)
    if long:
        elbow, wrist = shoulder + 0.24 + open_arm, shoulder + 0.30 + open_arm * 1.6
        end, wide = armpit + 0.74, 0.125 * thick
        arm = [
            (shoulder - 0.03, top),
            (shoulder + 0.08, top + 0.10),
            (elbow, armpit + 0.22),
            (wrist, end),
            (wrist - wide, end + 0.03),
            (elbow - 0.17 * thick, armpit + 0.32),
            (shoulder - 0.08, armpit + 0.06),
        ]
        band = [
            (wrist + 0.005, end - 0.09),
            (wrist + 0.005, end),
            (wrist - wide, end + 0.03),
            (wrist - wide - 0.01, end - 0.06),
        ]
    else:
        out = shoulder + 0.24 + open_arm
        arm = [
            (shoulder - 0.03, top),
            (shoulder + 0.09, top + 0.07),
            (out, armpit - 0.02),
            (out - 0.19, armpit + 0.09),
            (shoulder - 0.08, armpit + 0.03),
        ]
        band = [
            (out, armpit - 0.06),
            (out + 0.01, armpit - 0.02),
            (out - 0.19, armpit + 0.09),
            (out - 0.20, armpit + 0.04),
        ]
    for sleeve, edge in zip(both(arm), both(band), strict=True):
        pen.part(place(sleeve), look.cloth, look.dark)
        if cuff or not long:
            pen.part(place(edge), look.main if cuff else look.cloth, look.dark, width=0.012)


def _behind(deep: float, *, top: float = -0.93, half: float = 0.17) -> list[Point]:
    """The inside of the back, seen through the neck."""
    return [
        (-half, top),
        (-half * 0.5, top - 0.03),
        (half * 0.5, top - 0.03),
        (half, top),
        (0.02, top + deep + 0.05),
        (-0.02, top + deep + 0.05),
    ]


def _neckline(deep: float) -> list[Point]:
    right = [(0, -0.88 + deep), (0.10, -0.86 + deep), (0.16, -0.93)]
    return [*reversed(mirror(right)), *right]


def _folds(pen: Pen, look: Look, width: float, hem: float, random: Random) -> None:
    for _ in range(random.randint(2, 4)):
        x, y = random.uniform(-0.8, 0.8) * width, random.uniform(0.0, 0.4) * hem
        lean = random.uniform(-0.10, 0.10)
        pen.line([(x, y), (x + lean, y + random.uniform(0.15, 0.35))], look.dark, width=0.010)
