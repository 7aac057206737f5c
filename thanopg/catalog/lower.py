"""Skirts and trousers, drawn flat."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import lighter
from thanopg.catalog.pen import Pen, both, box, ellipse, mirror, smooth, whole
from thanopg.catalog.product import Product


def skirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    mini = product.length == "mini"
    top, hem = (-0.48, random.uniform(0.28, 0.38)) if mini else (-0.92, random.uniform(0.84, 0.94))
    flare = random.uniform(0.52, 0.72) if mini else random.uniform(0.48, 0.70)
    body = [
        (0, top + 0.12),
        (0.30, top + 0.12),
        (0.42, top + 0.36),
        (flare, hem),
        (flare * 0.5, hem + 0.06),
        (0, hem + 0.08),
    ]
    pen.part(whole(body), look.cloth, look.dark)
    pleats = random.choice((3, 5, 7))
    for i in range(-pleats // 2 + 1, pleats // 2 + 1):
        share = i / (pleats / 2)
        pen.line([(share * 0.28, top + 0.14), (share * flare * 0.86, hem)], look.dark, width=0.013)
    pen.part(box(-0.30, top, 0.30, top + 0.13, radius=0.02), look.main, look.dark)
    if random.random() < 0.5:
        pen.part(ellipse(0.0, top + 0.065, 0.03, 0.03), look.light, look.dark)


def slacks(pen: Pen, look: Look, product: Product, random: Random) -> None:
    wide = product.cut == "wide"
    _legs(pen, look, hem=0.34 if wide else 0.20, bottom=0.98, top=-0.96)
    for crease in both([(0.22, -0.50), (0.27 if wide else 0.20, 0.94)]):
        pen.line(crease, look.dark, width=0.012)
    pen.part(box(-0.33, -0.96, 0.33, -0.85), look.main, look.dark)
    for loop in both(box(0.20, -0.98, 0.23, -0.83)):
        pen.part(loop, look.dark)
    pen.part(ellipse(0.0, -0.905, 0.022, 0.022), look.light, look.deep, width=0.008)
    for pocket in both([(0.24, -0.84), (0.34, -0.62)]):
        pen.line(pocket, look.dark, width=0.018)
    pen.line([(0.0, -0.85), (0.0, -0.42)], look.dark, width=0.014)


def jeans(pen: Pen, look: Look, product: Product, random: Random) -> None:
    wide = product.cut == "wide"
    _legs(pen, look, hem=0.35 if wide else 0.19, bottom=0.98, top=-0.96)
    thread = (214, 150, 70) if product.colour in ("blue", "black") else look.dark
    faded = lighter(look.main, 0.22)
    for patch in both(smooth([(0.16, -0.40), (0.27, -0.36), (0.28, 0.02), (0.20, 0.16), (0.14, -0.1)])):
        pen.part(patch, faded)
    pen.part(box(-0.33, -0.96, 0.33, -0.84), look.main, look.dark)
    for seam in both([(0.10, -0.84), (0.16, -0.66), (0.35, -0.60)]):
        pen.line(seam, thread, width=0.016)
    pen.line([(0.05, -0.84), (0.06, -0.50), (0.0, -0.42)], thread, width=0.014)
    pen.line([(-0.33, -0.845), (0.33, -0.845)], thread, width=0.012)
    for hem in both([(0.02 if wide else 0.05, 0.92), (0.46 if wide else 0.36, 0.92)]):
        pen.line(hem, thread, width=0.014)
    pen.part(ellipse(0.0, -0.90, 0.03, 0.03), (198, 160, 90), look.deep, width=0.008)
    if random.random() < 0.4:
        for i in range(3):
            pen.line([(0.14, 0.20 + i * 0.05), (0.27, 0.22 + i * 0.05)], faded, width=0.014)


def shorts(pen: Pen, look: Look, product: Product, random: Random) -> None:
    bottom = random.uniform(0.30, 0.44)
    _legs(pen, look, hem=random.uniform(0.50, 0.56), bottom=bottom, top=-0.55, crotch=0.02, hip=0.50)
    pen.part(box(-0.44, -0.55, 0.44, -0.42, radius=0.02), look.main, look.dark)
    if random.random() < 0.6:
        for cord in both([(0.02, -0.46), (0.05, -0.28), (0.08, -0.14)]):
            pen.line(cord, look.light, width=0.024)
    for pocket in both([(0.36, -0.42), (0.50, -0.12)]):
        pen.line(pocket, look.dark, width=0.018)
    pen.line([(0.0, -0.42), (0.0, 0.0)], look.dark, width=0.014)


def _legs(
    pen: Pen, look: Look, *, hem: float, bottom: float, top: float, crotch: float = -0.40, hip: float = 0.40
) -> None:
    outer = smooth(
        [(hip - 0.08, top), (hip, crotch - 0.05), ((hip + hem) / 2 + 0.04, 0.2), (hem + 0.10, bottom)], closed=False
    )
    inner = max(0.02, 0.12 - (hem - 0.2) * 0.6)
    half = [(0, top), *outer, (inner, bottom), (0.012, crotch)]
    pen.part([*half, *reversed(mirror(half))], look.cloth, look.dark)
