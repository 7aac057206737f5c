"""What clothes have in common: sleeves, necks, hoods, hangers, folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance
from thanopg.catalog.pen import Pen, Point, both, ellipse, mirror, smooth, whole

Place = Callable[[Sequence[Point]], list[Point]]
_WOODS: tuple[RGB, ...] = ((196, 154, 108), (226, 200, 166), (150, 108, 74), (238, 236, 232), (70, 66, 68))


def sleeves(
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
        crease = [(shoulder - 0.02, armpit), (elbow - 0.10, armpit + 0.30), (wrist - wide * 0.8, end - 0.05)]
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
        crease = [(shoulder - 0.02, armpit - 0.06), (out - 0.17, armpit + 0.05)]
    for sleeve, edge, fold in zip(both(arm), both(band), both(crease), strict=True):
        pen.part(place(sleeve), look.cloth, look.dark)
        pen.streak(place(fold), -0.34, width=0.07)
        if cuff or not long:
            pen.part(place(edge), look.main if cuff else look.cloth, look.dark, width=0.012)


def behind(pen: Pen, look: Look, place: Place, opening: Sequence[Point]) -> None:
    """The inside of the back, seen through the neck."""
    half, top = opening[-1]
    low = opening[0][1] + 0.03
    pen.part(place(whole([(0, top - 0.04), (half * 0.6, top - 0.03), (half, top), (half, low), (0, low)])), look.deep)


def neck(kind: str | None, *, top: float, half: float, random: Random) -> list[Point]:
    """The right half of an opening, from its lowest point to the shoulder."""
    if kind == "vneck":
        return [(0.0, top + random.uniform(0.40, 0.48)), (half, top)]
    deep = random.uniform(0.13, 0.18)
    return smooth([(0, top + deep), (half * 0.66, top + deep * 0.78), (half, top)], closed=False)


def neck_band(pen: Pen, look: Look, place: Place, opening: Sequence[Point]) -> None:
    line = place([*reversed(mirror(opening)), *opening])
    pen.line(line, look.deep, width=0.045)
    pen.line(line, look.dark, width=0.024)


def collar(pen: Pen, look: Look, place: Place, *, top: float) -> None:
    """Two flaps and buttons below them."""
    pen.part(place([(-0.16, top), (0.16, top), (0, top + 0.26)]), look.deep)
    for flap in both([(0.01, top + 0.26), (0.17, top - 0.05), (0.27, top + 0.05), (0.19, top + 0.32)]):
        pen.part(place(flap), look.light if luminance(look.main) < 0.8 else look.main, look.deep, width=0.02)
    pen.line(place([(0, top + 0.28), (0, top + 0.76)]), look.dark, width=0.016)
    button = lighter(look.main, 0.75) if luminance(look.main) < 0.62 else darker(look.main, 0.55)
    for i in range(4):
        pen.part(place(ellipse(0, top + 0.36 + i * 0.12, 0.026, 0.026)), button, look.dark, width=0.008)


def hood(pen: Pen, look: Look, *, top: float) -> None:
    """Behind the body: draw it first."""
    outline = [
        (0, top - 0.34),
        (0.22, top - 0.31),
        (0.34, top - 0.12),
        (0.36, top + 0.10),
        (0.20, top + 0.22),
        (0, top + 0.26),
    ]
    pen.part(smooth(whole(outline)), look.cloth, look.dark, width=0.02)
    hollow = [(0, top - 0.22), (0.14, top - 0.18), (0.20, top), (0.14, top + 0.16), (0, top + 0.20)]
    pen.part(smooth(whole(hollow)), look.deep, look.dark, width=0.02)


def cords(pen: Pen, look: Look, *, top: float) -> None:
    for cord in both([(0.09, top + 0.16), (0.10, top + 0.42)]):
        pen.line(cord, look.light if luminance(look.main) < 0.75 else look.deep, width=0.035)


def hanger(pen: Pen, place: Place, *, top: float, half: float, random: Random, chance: float = 0.22) -> None:
    """At times, behind a garment that is drawn after it."""
    if random.random() >= chance:
        return
    wood = random.choice(_WOODS)
    hook = smooth(
        [(0, top), (0, top - 0.12), (0.07, top - 0.17), (0.03, top - 0.25), (-0.06, top - 0.21)], closed=False
    )
    pen.rod(place(hook), (176, 178, 182), width=0.024)
    bar = [(-half, top + 0.17), (-half * 0.5, top + 0.05), (0, top), (half * 0.5, top + 0.05), (half, top + 0.17)]
    pen.rod(place(smooth(bar, closed=False)), wood, width=0.07)


def folds(pen: Pen, width: float, hem: float, random: Random) -> None:
    """Soft ones, from the sides down."""
    for _ in range(random.randint(3, 5)):
        x, y = random.uniform(-0.8, 0.8) * width, random.uniform(-0.1, 0.35) * hem
        lean, long = random.uniform(-0.16, 0.16), random.uniform(0.25, 0.55)
        tip, wide = (x + lean, y + long), random.uniform(0.03, 0.06)
        pen.shade([(x, y), (tip[0] - wide, tip[1]), (tip[0] + wide, tip[1])], random.choice((-0.20, -0.14, 0.12)))
    for side in both([(width * 0.90, -0.2), (width * 0.93, hem)]):
        pen.streak(side, -0.20, width=0.10)
