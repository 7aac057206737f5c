"""Sweaters, drawn flat: ribbed at the hem, with cables when they are plain."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.pen import Pen, Point, box, ellipse, mirror, whole
from thanopg.catalog.product import Product
from thanopg.catalog.tailoring import behind, cords, folds, hanger, hood, sleeves


def sweater(pen: Pen, look: Look, product: Product, random: Random) -> None:
    hem, width = random.uniform(0.66, 0.76), random.uniform(0.46, 0.52)
    kind = product.neckline
    hanger(pen, list, top=-0.76, half=0.46, random=random, chance=0.0 if kind in ("hood", "turtleneck") else 0.2)
    if kind == "hood":
        hood(pen, look, top=-0.66)
    sleeves(pen, look, list, shoulder=0.50, top=-0.64, armpit=-0.20, long=True, random=random, cuff=True, thick=1.22)
    neck: list[Point] = [(0, -0.60 if kind == "hood" else -0.64), (0.14, -0.67), (0.21, -0.75)]
    if kind == "vneck":
        neck = [(0, -0.28), (0.21, -0.75)]
    if kind in ("vneck", "round"):
        behind(pen, look, list, neck)
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
    folds(pen, width, hem, random)
    if product.pattern == "plain" and kind != "hood":
        _cables(pen, look, random)
    _collar(pen, look, str(kind), neck)
    pen.line([(-width, hem - 0.12), (width, hem - 0.12)], look.dark, width=0.016)
    for i in range(-11, 12):
        pen.line([(i * 0.042, hem - 0.12), (i * 0.041, hem + 0.01)], look.dark, width=0.008)


def _collar(pen: Pen, look: Look, kind: str, neck: list[Point]) -> None:
    if kind == "turtleneck":
        pen.part(box(-0.20, -1.0, 0.20, -0.64, radius=0.06), look.main, look.dark, width=0.02)
        pen.streak([(-0.2, -0.70), (0.2, -0.70)], -0.4, width=0.06)
        pen.line([(-0.2, -0.78), (0.2, -0.78)], look.dark, width=0.016)
        for i in range(-4, 5):
            pen.line([(i * 0.042, -0.98), (i * 0.042, -0.67)], look.dark, width=0.008)
    elif kind == "vneck":
        line = [*reversed(mirror(neck)), *neck]
        pen.line(line, look.deep, width=0.09)
        pen.line(line, look.main, width=0.055)
    elif kind == "hood":
        cords(pen, look, top=-0.66)
        pouch = [(-0.20, 0.18), (0.20, 0.18), (0.30, 0.46), (-0.30, 0.46)]
        pen.part(pouch, look.cloth, look.dark, width=0.022)
        pen.streak([(-0.18, 0.22), (0.18, 0.22)], -0.3, width=0.05)
    else:
        for drop, line_width in ((0, 0.03), (0.06, 0.012)):
            pen.line(ellipse(0, -0.76 + drop, 0.215, 0.125, start=0, end=180), look.dark, width=line_width)


def _cables(pen: Pen, look: Look, random: Random) -> None:
    cable = look.dark if random.random() < 0.6 else look.light
    for x in (-0.24, 0.0, 0.24):
        for i in range(6):
            y = -0.48 + i * 0.16
            if x == 0.0 and y < -0.2:
                continue
            pen.line([(x - 0.045, y), (x, y + 0.075), (x + 0.045, y)], cable, width=0.012)
        pen.streak([(x, -0.45), (x, 0.5)], 0.14, width=0.08)
