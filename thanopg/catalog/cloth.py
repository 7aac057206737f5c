"""Cloth: one colour and a pattern on it, as a picture that shapes are cut from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from thanopg.catalog.palette import RGB, darker, lighter, luminance, mix
from thanopg.catalog.pen import Fill, Point, ellipse

_LIGHT_CONTRASTS: tuple[RGB, ...] = ((252, 250, 244), (250, 246, 232))
_DARK_CONTRASTS: tuple[RGB, ...] = ((30, 36, 72), (28, 28, 32), (118, 30, 42), (34, 84, 66))
_PETALS: tuple[RGB, ...] = ((250, 246, 240), (246, 186, 200), (250, 214, 110), (206, 92, 112), (150, 190, 226))


@dataclass(frozen=True, kw_only=True)
class Look:
    """The colours of one product, from which all of its parts take theirs."""

    main: RGB
    cloth: Fill
    dark: RGB
    """edges, seams, folds"""
    deep: RGB
    """insides"""
    light: RGB
    contrast: RGB
    """of the pattern"""


def make_look(main: RGB, pattern: str, side: int, unit: float, angle: float, random: Random) -> Look:
    contrast = random.choice(_DARK_CONTRASTS if luminance(main) > 0.62 else _LIGHT_CONTRASTS)
    bright = luminance(main) < 0.16
    look = Look(
        main=main,
        cloth=main,
        dark=lighter(main, 0.22) if bright else darker(main, 0.30),
        deep=lighter(main, 0.10) if bright else darker(main, 0.48),
        light=lighter(main, 0.30),
        contrast=contrast,
    )
    if pattern == "plain":
        return look
    cloth = Image.new("RGB", (side, side), main)
    _PAINTERS[pattern](_Loom(ImageDraw.Draw(cloth), side, unit, angle), look, random)
    return Look(**{**vars(look), "cloth": cloth})


class _Loom:
    """Draws in units of the product, turned with it, from the picture's middle."""

    def __init__(self, draw: ImageDraw.ImageDraw, side: int, unit: float, angle: float) -> None:
        self.draw, self.side, self.unit = draw, side, unit
        self._sine, self._cosine = math.sin(angle), math.cos(angle)
        self.reach = 0.75 * side / unit

    def at(self, points: list[Point]) -> list[Point]:
        middle, u = self.side / 2, self.unit
        return [
            (middle + u * (x * self._cosine - y * self._sine), middle + u * (x * self._sine + y * self._cosine))
            for x, y in points
        ]

    def band(self, at: float, width: float, colour: RGB, *, upright: bool) -> None:
        far = self.reach
        points = [(-far, at), (far, at)] if not upright else [(at, -far), (at, far)]
        self.draw.line(self.at(points), fill=colour, width=max(1, round(width * self.unit)))

    def dot(self, x: float, y: float, radius: float, colour: RGB) -> None:
        ((px, py),) = self.at([(x, y)])
        r = radius * self.unit
        self.draw.ellipse((px - r, py - r, px + r, py + r), fill=colour)


def _stripes(loom: _Loom, look: Look, random: Random) -> None:
    upright = random.random() < 0.3
    gap = random.uniform(0.15, 0.24)
    width = gap * random.uniform(0.28, 0.42)
    at = -loom.reach
    while at < loom.reach:
        loom.band(at, width, look.contrast, upright=upright)
        at += gap


def _dots(loom: _Loom, look: Look, random: Random) -> None:
    gap = random.uniform(0.15, 0.22)
    radius = gap * random.uniform(0.22, 0.28)
    rows = int(2 * loom.reach / gap)
    for row in range(rows):
        for column in range(rows):
            x = -loom.reach + (column + 0.5 * (row % 2)) * gap
            loom.dot(x, -loom.reach + row * gap, radius, look.contrast)


def _checks(loom: _Loom, look: Look, random: Random) -> None:
    gap = random.uniform(0.20, 0.30)
    wide = gap * random.uniform(0.30, 0.42)
    half, full = mix(look.main, look.contrast, 0.42), mix(look.main, look.contrast, 0.85)
    steps = [-loom.reach + i * gap for i in range(int(2 * loom.reach / gap))]
    for at in steps:
        loom.band(at, wide, half, upright=False)
    for at in steps:
        loom.band(at, wide, half, upright=True)
    for y in steps:
        for x in steps:
            h = wide / 2
            loom.draw.polygon(loom.at([(x - h, y - h), (x + h, y - h), (x + h, y + h), (x - h, y + h)]), fill=full)
    if random.random() < 0.5:
        for at in steps:
            loom.band(at + gap / 2, 0.016, full, upright=False)
            loom.band(at + gap / 2, 0.016, full, upright=True)


def _flowers(loom: _Loom, look: Look, random: Random) -> None:
    gap = random.uniform(0.22, 0.28)
    petals = [colour for colour in _PETALS if abs(luminance(colour) - luminance(look.main)) > 0.18] or [look.contrast]
    petal = random.choice(petals)
    heart = (238, 190, 60) if luminance(petal) > 0.7 else (252, 240, 200)
    leaf = mix((70, 130, 70), look.main, 0.25)
    rows = int(2 * loom.reach / gap)
    for row in range(rows):
        for column in range(rows):
            x = -loom.reach + (column + 0.5 * (row % 2)) * gap + random.uniform(-0.03, 0.03)
            y = -loom.reach + row * gap + random.uniform(-0.03, 0.03)
            radius = gap * random.uniform(0.13, 0.17)
            turn = random.uniform(0, 72)
            loom.dot(x + radius * 1.9, y + radius * 1.2, radius * 0.55, leaf)
            for px, py in ellipse(x, y, radius, radius, start=turn, end=turn + 288)[::6]:
                loom.dot(px, py, radius * 0.74, petal)
            loom.dot(x, y, radius * 0.5, heart)


_PAINTERS: dict[str, Callable[[_Loom, Look, Random], None]] = {
    "striped": _stripes,
    "dotted": _dots,
    "checked": _checks,
    "floral": _flowers,
}
