"""Bags of leather, canvas or straw."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from thanopg.catalog.accessories import BRASS
from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import RGB, darker, lighter, luminance
from thanopg.catalog.pen import Pen, Point, box, ellipse, smooth, whole
from thanopg.catalog.product import Product

_TANS: tuple[RGB, ...] = ((178, 122, 72), (150, 98, 58), (206, 160, 106))


def bag(pen: Pen, look: Look, product: Product, random: Random) -> None:
    trim = look.dark if product.material == "leather" else random.choice(_TANS)
    material = _Material(pen, look, str(product.material), trim)
    {"tote": _tote, "backpack": _backpack, "crossbody": _crossbody}[str(product.cut)](pen, look, material, random)


class _Material:
    """How a bag's body shows what it is made of."""

    def __init__(self, pen: Pen, look: Look, name: str, trim: RGB) -> None:
        self.pen, self.look, self.name, self.trim = pen, look, name, trim
        self.strong = darker(trim, 0.30)

    def body(self, outline: Sequence[Point], left: float, top: float, right: float, bottom: float) -> None:
        """The outline filled; the rest says how far it reaches."""
        pen, look = self.pen, self.look
        pen.part(outline, look.cloth, look.dark, width=0.022)
        if self.name == "straw":
            self._weave(left, top, right, bottom)
        elif self.name == "leather":
            self._gloss(left, top, right, bottom)
        else:
            high = bottom - (bottom - top) * 0.22
            pen.part(box(left + 0.01, high, right - 0.01, bottom - 0.01, radius=0.04), self.trim, self.strong)
            pen.streak([(left, top + 0.12), (left * 0.4, bottom)], -0.2, width=0.10)
        pen.streak([(left, bottom - 0.05), (right, bottom - 0.05)], -0.35, width=0.12)

    def _weave(self, left: float, top: float, right: float, bottom: float) -> None:
        pen, look = self.pen, self.look
        step = 0.13
        rows, columns = int((bottom - top - 0.06) / step), int((right - left - 0.06) / step)
        for row in range(rows):
            for column in range(columns):
                x, y = left + 0.05 + (column + 0.5) * step, top + 0.05 + (row + 0.5) * step
                if (row + column) % 2:
                    pen.part(box(x - 0.058, y - 0.03, x + 0.058, y + 0.03), look.light)
                else:
                    pen.part(box(x - 0.028, y - 0.06, x + 0.028, y + 0.06), look.deep)

    def _gloss(self, left: float, top: float, right: float, bottom: float) -> None:
        pen, look = self.pen, self.look
        wide, high = right - left, bottom - top
        shine = [(left + wide * 0.12, top + high * 0.10), (left + wide * 0.34, top + high * 0.10)]
        shine += [(left + wide * 0.24, bottom - high * 0.12), (left + wide * 0.10, bottom - high * 0.12)]
        pen.shade(shine, 0.62)
        pen.streak(
            [(right - wide * 0.16, top + high * 0.2), (right - wide * 0.2, bottom - high * 0.2)], 0.30, width=0.05
        )
        thread = lighter(look.main, 0.55) if luminance(look.main) < 0.6 else look.deep
        inset = box(left + 0.06, top + 0.06, right - 0.06, bottom - 0.06, radius=0.05)
        for i in range(0, len(inset) - 1):
            (ax, ay), (bx, by) = inset[i], inset[i + 1]
            parts = max(1, round(max(abs(bx - ax), abs(by - ay)) / 0.06))
            for k in range(0, parts, 2):
                a, b = k / parts, (k + 1) / parts
                stitch = [(ax + (bx - ax) * a, ay + (by - ay) * a), (ax + (bx - ax) * b, ay + (by - ay) * b)]
                pen.line(stitch, thread, width=0.018)


def _tote(pen: Pen, look: Look, material: _Material, random: Random) -> None:
    reach = random.uniform(-0.98, -0.78)
    for back in (True, False):
        dx = 0.03 if back else 0.0
        points = [(-0.34, -0.12), (-0.28, reach + 0.14), (0, reach), (0.28, reach + 0.14), (0.34, -0.12)]
        handle = smooth([(x + dx, y) for x, y in points], closed=False)
        pen.rod(handle, material.strong if back else material.trim, width=0.085)
    bottom = random.uniform(0.60, 0.70)
    material.body([(-0.64, -0.28), (0.64, -0.28), (bottom, 0.82), (-bottom, 0.82)], -0.62, -0.26, 0.62, 0.80)
    pen.part([(-0.64, -0.28), (0.64, -0.28), (0.645, -0.18), (-0.645, -0.18)], look.main, look.dark)
    for x in (-0.34, 0.34):
        pen.part(box(x - 0.06, -0.24, x + 0.06, 0.02, radius=0.02), material.trim, material.strong)
        pen.part(ellipse(x, -0.04, 0.022, 0.022), BRASS)
    if material.name != "straw" and random.random() < 0.5:
        pen.part(box(-0.14, 0.20, 0.14, 0.32, radius=0.02), look.light, look.dark, width=0.012)


def _backpack(pen: Pen, look: Look, material: _Material, random: Random) -> None:
    pen.rod(ellipse(0, -0.80, 0.16, 0.15, start=180, end=360), material.trim, width=0.07)
    for strap in ([(-0.52, -0.52), (-0.68, -0.1), (-0.62, 0.5)], [(0.52, -0.52), (0.68, -0.1), (0.62, 0.5)]):
        pen.rod(smooth(strap, closed=False), material.strong, width=0.11)
    outline = smooth(whole([(0, -0.84), (0.36, -0.78), (0.56, -0.5), (0.60, 0.2), (0.56, 0.78), (0, 0.86)]))
    material.body(outline, -0.52, -0.60, 0.52, 0.80)
    zip_line = [(-0.54, -0.28), (-0.3, -0.40), (0, -0.43), (0.3, -0.40), (0.54, -0.28)]
    pen.line(smooth(zip_line, closed=False), look.dark, width=0.03)
    pen.streak(smooth(zip_line, closed=False), -0.25, width=0.06)
    if material.name != "straw":
        pocket = material.trim if material.name == "canvas" else look.cloth
        pen.part(box(-0.42, 0.10, 0.42, 0.70, radius=0.10), look.cloth, look.dark, width=0.024)
        pen.part(box(-0.42, 0.10, 0.42, 0.28, radius=0.06), pocket, look.dark, width=0.024)
        pen.part(box(0.22, 0.24, 0.27, 0.40, radius=0.01), BRASS)
        if material.name == "leather":
            pen.shade([(-0.36, 0.32), (-0.20, 0.32), (-0.28, 0.64), (-0.38, 0.64)], 0.5)
    else:
        flap = smooth([(-0.50, -0.40), (0, -0.56), (0.50, -0.40), (0.46, 0.02), (0, 0.16), (-0.46, 0.02)])
        pen.part(flap, look.main, look.dark, width=0.024)
        pen.part(box(-0.07, -0.02, 0.07, 0.26, radius=0.03), material.trim, material.strong)
    if random.random() < 0.5:
        pen.part(box(-0.11, -0.24, 0.11, -0.08, radius=0.03), look.light, look.dark)


def _crossbody(pen: Pen, look: Look, material: _Material, random: Random) -> None:
    strap = smooth([(-0.60, 0.0), (-0.50, -0.62), (0.0, -0.96), (0.50, -0.62), (0.60, 0.0)], closed=False)
    if material.name == "leather" and random.random() < 0.5:
        pen.tube(strap, (136, 106, 40), BRASS, (250, 232, 180), width=0.05)
    else:
        pen.rod(strap, material.strong, width=0.06)
    material.body(box(-0.68, -0.16, 0.68, 0.68, radius=0.12), -0.66, -0.14, 0.66, 0.66)
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
    if material.name != "straw":
        pen.part(flap, look.cloth, look.dark, width=0.026)
        pen.streak(flap[3:], -0.4, width=0.07)
        if material.name == "leather":
            pen.shade([(-0.50, -0.12), (-0.22, -0.12), (-0.32, 0.26), (-0.50, 0.20)], 0.62)
    else:
        pen.part([(-0.68, -0.10), (-0.60, -0.18), (0.60, -0.18), (0.68, -0.10), (0.68, 0.0), (-0.68, 0.0)], look.main)
    pen.part(box(-0.09, 0.24, 0.09, 0.46, radius=0.03), BRASS, darker(BRASS, 0.4))
    for x in (-0.61, 0.61):
        pen.part(ellipse(x, -0.04, 0.05, 0.05), BRASS, darker(BRASS, 0.4))
