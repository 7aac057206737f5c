"""Earrings, bracelets and necklaces: metal that shines, or stones in metal."""

from __future__ import annotations

import math
from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import METALS, RGB, darker, lighter, mix
from thanopg.catalog.pen import Pen, Point, ellipse, smooth
from thanopg.catalog.product import Product

_SETTINGS: tuple[RGB, ...] = ((206, 208, 214), (214, 184, 116))
Metal = tuple[RGB, RGB, RGB]


def earrings(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal, stone = _materials(look, product, random)
    kind = random.random()
    for side in (-1, 1):
        x = side * 0.46
        if product.cut == "hoop":
            radius = 0.40
            width = 0.10 + 0.08 * kind
            shape = ellipse(x, 0.12, radius * 0.92, radius * 1.18, start=-80, end=260)
            if stone is None:
                pen.tube(shape, *metal, width=width)
            else:
                pen.tube(shape, darker(stone, 0.4), stone, lighter(stone, 0.5), width=width + 0.03)
            pen.rod([(x, -0.36), (x, -0.54)], metal[1], width=0.05)
        elif product.cut == "drop":
            hook = [(x, -0.34), (x - 0.02, -0.62), (x + 0.08, -0.78), (x + 0.17, -0.64)]
            pen.tube(smooth(hook, closed=False), *metal, width=0.055)
            pen.part(ellipse(x, -0.34, 0.07, 0.07), metal[1], metal[0])
            body: list[Point] = [
                (x, -0.28),
                (x + 0.13, 0.10),
                (x + 0.25, 0.42),
                (x + 0.16, 0.68),
                (x, 0.76),
                (x - 0.16, 0.68),
                (x - 0.25, 0.42),
                (x - 0.13, 0.10),
            ]
            _gem(pen, smooth(body), (x, 0.36), 0.26, metal, stone)
        else:
            _stud(pen, (x, 0.0), 0.34, metal, stone, round_one=kind < 0.5)


def _stud(pen: Pen, at: Point, radius: float, metal: Metal, stone: RGB | None, *, round_one: bool) -> None:
    x, y = at
    if round_one:
        _gem(pen, ellipse(x, y, radius, radius), at, radius, metal, stone)
        return
    for i in range(6):
        px, py = ellipse(x, y, radius * 0.72, radius * 0.72, start=i * 60, end=i * 60 + 1)[0]
        _gem(pen, ellipse(px, py, radius * 0.42, radius * 0.42), (px, py), radius * 0.4, metal, stone)
    pen.part(ellipse(x, y, radius * 0.34, radius * 0.34), metal[2], metal[0])


def bracelet(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal, stone = _materials(look, product, random)
    flat = random.uniform(0.66, 0.92)
    if product.cut == "bangle":
        width = random.uniform(0.13, 0.22)
        dark, middle, light = metal if stone is None else (darker(stone, 0.4), stone, lighter(stone, 0.5))
        pen.tube(ellipse(0, 0, 0.76, 0.76 * flat), dark, middle, light, width=width)
        pen.line(ellipse(0, 0, 0.70, 0.70 * flat, start=30, end=150), darker(middle, 0.25), width=width * 0.16)
        if stone is not None:
            for angle in (90, 270):
                x, y = ellipse(0, 0, 0.76, 0.76 * flat, start=angle, end=angle + 1)[0]
                pen.part(ellipse(x, y, 0.06, width * 0.6), metal[1], metal[0])
    elif product.cut == "chain":
        count = random.choice((16, 18, 20))
        ring = _around(count, 0.76, 0.76 * flat)
        pen.rod([*ring, ring[0]], metal[0] if stone is None else darker(stone, 0.3), width=0.06)
        for i, (x, y) in enumerate(ring):
            radius = 0.125 if i % 2 else 0.10
            if stone is None:
                pen.part(ellipse(x, y, radius, radius * 0.8), metal[1], metal[0], width=0.03)
                pen.part(ellipse(x, y, radius * 0.40, radius * 0.30), metal[0])
                pen.line(
                    [(x - radius * 0.5, y - radius * 0.5), (x + radius * 0.2, y - radius * 0.62)], metal[2], width=0.03
                )
            else:
                _gem(pen, ellipse(x, y, radius, radius * 0.9), (x, y), radius, metal, stone)
    else:
        count = random.choice((14, 16, 18))
        for x, y in _around(count, 0.74, 0.74 * flat):
            radius = 0.86 * math.pi * 0.74 / count
            ball = metal[1] if stone is None else stone
            pen.part(ellipse(x, y, radius, radius), ball, metal[0] if stone is None else darker(ball, 0.4), width=0.02)
            pen.part(ellipse(x - radius * 0.3, y - radius * 0.3, radius * 0.3, radius * 0.26), lighter(ball, 0.7))


def necklace(pen: Pen, look: Look, product: Product, random: Random) -> None:
    metal, stone = _materials(look, product, random)
    wide, deep = random.uniform(0.62, 0.80), random.uniform(0.44, 0.62)
    curve = smooth(
        [
            (-wide * 0.55, -0.94),
            (-wide, -0.40),
            (-wide * 0.62, deep * 0.4),
            (0, deep),
            (wide * 0.62, deep * 0.4),
            (wide, -0.40),
            (wide * 0.55, -0.94),
        ],
        closed=False,
    )
    pen.tube(curve, *metal, width=0.065)
    if product.cut == "beads":
        ball = metal[1] if stone is None else stone
        for x, y in _spaced(curve, 0.165):
            pen.part(ellipse(x, y, 0.085, 0.085), ball, darker(ball, 0.45), width=0.02)
            pen.part(ellipse(x - 0.025, y - 0.03, 0.024, 0.022), lighter(ball, 0.7))
        return
    for x, y in curve[::2]:
        pen.part(ellipse(x, y, 0.032, 0.032), metal[2], metal[0], width=0.010)
    if product.cut == "heart":
        right = [(0.0, deep + 0.10), (0.10, deep - 0.01), (0.24, deep), (0.33, deep + 0.13), (0.26, deep + 0.31)]
        left = [(-x, y) for x, y in reversed(right[1:])]
        heart = [*smooth(right, closed=False), (0.0, deep + 0.58), *smooth(left, closed=False)]
        _gem(pen, heart, (0, deep + 0.22), 0.22, metal, stone)
    else:
        radius = random.uniform(0.17, 0.21)
        _gem(pen, ellipse(0, deep + radius, radius, radius * 1.12), (0, deep + radius), radius, metal, stone)


def _spaced(curve: list[Point], step: float) -> list[Point]:
    """Points on the curve, so far from each other."""
    found = [curve[0]]
    for point in curve:
        if math.dist(point, found[-1]) >= step:
            found.append(point)
    return found


def _gem(pen: Pen, shape: list[Point], at: Point, radius: float, metal: Metal, stone: RGB | None) -> None:
    x, y = at
    body, edge = (metal[1], metal[0]) if stone is None else (stone, metal[0])
    pen.part(shape, body, edge, width=0.032)
    pen.part(
        smooth(
            [
                (x - radius * 0.5, y + radius * 0.1),
                (x - radius * 0.2, y - radius * 0.5),
                (x + radius * 0.1, y - radius * 0.45),
                (x - radius * 0.25, y + radius * 0.1),
            ]
        ),
        lighter(body, 0.65),
    )
    pen.line(ellipse(x, y, radius * 0.66, radius * 0.66, start=20, end=100), darker(body, 0.3), width=radius * 0.12)


def _around(count: int, rx: float, ry: float) -> list[Point]:
    angles = (2 * math.pi * i / count for i in range(count))
    return [(rx * math.cos(angle), ry * math.sin(angle)) for angle in angles]


def _materials(look: Look, product: Product, random: Random) -> tuple[Metal, RGB | None]:
    """Dark, middle and light of the metal, and the stone's colour unless all is metal."""
    if product.colour in METALS:
        return _shine(look.main), None
    return _shine(random.choice(_SETTINGS)), look.main


def _shine(metal: RGB) -> Metal:
    return darker(metal, 0.45), metal, mix(metal, (255, 255, 250), 0.75)
