"""A pen that draws one product: shapes in the product's own coordinates, onto layers of colour, outline and light.

Own coordinates: x to the right, y down, the product within about -1 to 1 on both axes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from thanopg.catalog.palette import RGB

Point = tuple[float, float]
Fill = RGB | Image.Image
"""one colour, or a picture of the layer's size: cloth"""
TONE_STEP = 4
"""the layer of light is so much coarser: it is blurred anyway"""
NEUTRAL = 128


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where on the picture the product lies."""

    scale: float = 0.42
    """pixels per unit, as a share of the picture's side"""
    angle: float = 0.0
    """radians"""
    x: float = 0.5
    y: float = 0.5
    stretch: float = 1.0
    """width over height"""
    mirrored: bool = False


class Pen:
    """`colour` is what was painted, `alpha` where; both are `side` pixels wide and high.

    `tone` is soft light and shade on it, TONE_STEP times smaller: 128 leaves the colour as it is.
    """

    def __init__(self, side: int, placement: Placement, ground: RGB) -> None:
        self.side = side
        self.unit = placement.scale * side
        self.colour = Image.new("RGB", (side, side), ground)
        self.alpha = Image.new("L", (side, side), 0)
        self.tone = Image.new("L", (max(1, side // TONE_STEP),) * 2, NEUTRAL)
        self._paint = ImageDraw.Draw(self.colour)
        self._cover = ImageDraw.Draw(self.alpha)
        self._light = ImageDraw.Draw(self.tone)
        sine, cosine = math.sin(placement.angle), math.cos(placement.angle)
        width = self.unit * math.sqrt(placement.stretch) * (-1 if placement.mirrored else 1)
        height = self.unit / math.sqrt(placement.stretch)
        self._across = (width * cosine, width * sine)
        self._down = (-height * sine, height * cosine)
        self._origin = (placement.x * side, placement.y * side)

    def at(self, points: Sequence[Point]) -> list[Point]:
        """Own coordinates → pixels."""
        (ax, ay), (dx, dy), (ox, oy) = self._across, self._down, self._origin
        return [(ox + x * ax + y * dx, oy + x * ay + y * dy) for x, y in points]

    def part(self, points: Sequence[Point], fill: Fill, edge: RGB | None = None, *, width: float = 0.014) -> None:
        """A filled shape, with an edge."""
        pixels = self.at(points)
        self._cover.polygon(pixels, fill=255)
        if isinstance(fill, Image.Image):
            mask = Image.new("L", self.alpha.size, 0)
            ImageDraw.Draw(mask).polygon(pixels, fill=255)
            self.colour.paste(fill, mask=mask)
        else:
            self._paint.polygon(pixels, fill=fill)
        if edge is not None:
            self._paint.line([*pixels, pixels[0], pixels[1]], fill=edge, width=self._width(width), joint="curve")

    def line(self, points: Sequence[Point], colour: RGB, *, width: float = 0.014) -> None:
        """A line on what is there already; it adds nothing to the outline."""
        self._paint.line(self.at(points), fill=colour, width=self._width(width), joint="curve")

    def rod(self, points: Sequence[Point], colour: RGB, *, width: float) -> None:
        """A line with a body of its own: a strap, a chain, a wire."""
        pixels = self.at(points)
        for surface, fill in ((self._paint, colour), (self._cover, 255)):
            surface.line(pixels, fill=fill, width=self._width(width), joint="curve")
            radius = self._width(width) / 2
            for x, y in (pixels[0], pixels[-1]):
                surface.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def tube(self, points: Sequence[Point], dark: RGB, middle: RGB, light: RGB, *, width: float) -> None:
        """A rod that shines: metal, cord."""
        self.rod(points, dark, width=width)
        self.line(points, middle, width=width * 0.66)
        shine = [(x - width * 0.12, y - width * 0.12) for x, y in points]
        self.line(shine, light, width=width * 0.2)

    def shade(self, points: Sequence[Point], strength: float) -> None:
        """A soft shape of light (above 0) or shade (below): a fold, a gloss, the hollow under a flap."""
        pixels = [(x / TONE_STEP, y / TONE_STEP) for x, y in self.at(points)]
        self._light.polygon(pixels, fill=round(NEUTRAL + 127 * max(-1.0, min(1.0, strength))))

    def streak(self, points: Sequence[Point], strength: float, *, width: float) -> None:
        """The same along a line."""
        pixels = [(x / TONE_STEP, y / TONE_STEP) for x, y in self.at(points)]
        tone = round(NEUTRAL + 127 * max(-1.0, min(1.0, strength)))
        self._light.line(pixels, fill=tone, width=max(1, round(width * self.unit / TONE_STEP)), joint="curve")

    def clear(self, points: Sequence[Point]) -> None:
        """A hole, through which the background shows."""
        self._cover.polygon(self.at(points), fill=0)

    def _width(self, width: float) -> int:
        return max(1, round(width * self.unit))


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    curve: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            a, b, c, d = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            a, b, c, d = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    if not closed:
        curve.append(points[-1])
    return curve


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def mirror(points: Sequence[Point]) -> list[Point]:
    """The same on the other side."""
    return [(-x, y) for x, y in points]


def both(points: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """The shape, and the same on the other side."""
    return list(points), mirror(points)


def whole(half: Sequence[Point]) -> list[Point]:
    """A shape symmetric about the middle, from its right half, top to bottom."""
    return [*half, *reversed(mirror(half))]


def moved(points: Sequence[Point], dx: float, dy: float) -> list[Point]:
    return [(x + dx, y + dy) for x, y in points]


def ellipse(x: float, y: float, rx: float, ry: float, *, start: float = 0, end: float = 360) -> list[Point]:
    """Points on an ellipse, or on an arc of it; degrees, clockwise from the right."""
    steps = max(8, round(abs(end - start) / 12))
    angles = (math.radians(start + (end - start) * i / steps) for i in range(steps + 1))
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def box(left: float, top: float, right: float, bottom: float, *, radius: float = 0.0) -> list[Point]:
    """A rectangle, its corners rounded."""
    if radius <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = (
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    )
    return [point for x, y, start in corners for point in ellipse(x, y, radius, radius, start=start, end=start + 90)]


def wobble(points: Sequence[Point], random: Random, amount: float = 0.012) -> list[Point]:
    """As cut by hand."""
    return [(x + random.uniform(-amount, amount), y + random.uniform(-amount, amount)) for x, y in points]
