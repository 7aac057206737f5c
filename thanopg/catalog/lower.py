"""Skirts and trousers, drawn flat."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import lighter
from thanopg.catalog.pen import Pen, both, box, ellipse, mirror, smooth, whole
from thanopg.catalog.product import Product


def skirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    mini = product.length == "mini"
    top, hem = (-0.48, random.uniform(0.30, 0.38)) if mini else (-0.92, random.uniform(0.84, 0.94))
    pencil = product.cut == "pencil"
    if pencil:
        side = [(0.30, top + 0.12), (0.42, top + 0.42), (0.40, (top + hem) / 2 + 0.1), (0.33, hem)]
        flare, sag = 0.33, 0.0
    else:
        flare = random.uniform(0.64, 0.80) if mini else random.uniform(0.60, 0.76)
        side = [
            (0.30, top + 0.12),
            (0.30 + (flare - 0.30) * 0.42, top + 0.12 + (hem - top - 0.12) * 0.45),
            (flare, hem),
        ]
        sag = 0.02 if product.cut == "pleated" else 0.08
    pen.part(whole([(0, top + 0.12), *side, (flare * 0.5, hem + sag * 0.8), (0, hem + sag)]), look.cloth, look.dark)
    if product.cut == "pleated":
        _pleats(pen, look, top + 0.12, hem, flare)
    elif pencil:
        pen.line([(0.0, hem - 0.30), (0.0, hem)], look.dark, width=0.024)
        for x in (-0.34, 0.34):
            pen.streak([(x, top + 0.3), (x * 0.9, hem)], -0.30, width=0.10)
        pen.streak([(-0.10, top + 0.3), (-0.12, hem - 0.1)], 0.20, width=0.10)
    else:
        for share in (-0.75, -0.3, 0.25, 0.7):
            wave = [(share * 0.30, top + 0.3), (share * flare - 0.07, hem + 0.03), (share * flare + 0.07, hem + 0.03)]
            pen.shade(wave, random.choice((-0.42, -0.34)))
        pen.shade([(0.0, top + 0.3), (-0.08, hem + 0.04), (0.08, hem + 0.04)], 0.22)
    pen.part(box(-0.30, top, 0.30, top + 0.13, radius=0.02), look.main, look.dark)
    if random.random() < 0.5:
        pen.part(ellipse(0.0, top + 0.065, 0.03, 0.03), look.light, look.dark)


def _pleats(pen: Pen, look: Look, top: float, hem: float, flare: float) -> None:
    """One beside the other, each with its shade."""
    count = 9
    for i in range(count):
        left, right = -1 + 2 * i / count, -1 + 2 * (i + 0.5) / count
        pen.shade([(left * 0.29, top), (right * 0.29, top), (right * flare, hem), (left * flare, hem)], -0.62)
        pen.line([(left * 0.29, top), (left * flare, hem)], look.deep, width=0.026)


def slacks(pen: Pen, look: Look, product: Product, random: Random) -> None:
    wide = product.cut == "wide"
    _legs(pen, look, hem=0.34 if wide else 0.20, bottom=0.98, top=-0.96)
    _shadows(pen)
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
    _shadows(pen)
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
    _legs(pen, look, hem=random.uniform(0.50, 0.56), bottom=bottom, top=-0.55, crotch=0.02, hip=0.50, gap=0.07)
    pen.part(box(-0.44, -0.55, 0.44, -0.42, radius=0.02), look.main, look.dark)
    pen.streak([(-0.06, 0.0), (0.06, 0.0)], -0.4, width=0.10)
    for leg in both([(0.34, -0.30), (0.30, bottom), (0.40, bottom)]):
        pen.shade(leg, -0.26)
    if random.random() < 0.6:
        for cord in both([(0.02, -0.46), (0.05, -0.28), (0.08, -0.14)]):
            pen.line(cord, look.light, width=0.024)
    for pocket in both([(0.36, -0.42), (0.50, -0.12)]):
        pen.line(pocket, look.dark, width=0.018)
    pen.line([(0.0, -0.42), (0.0, 0.0)], look.dark, width=0.014)


def _shadows(pen: Pen) -> None:
    """Between the legs, at the knees."""
    for inner in both([(0.02, -0.40), (0.08, 0.10), (0.10, 0.98)]):
        pen.streak(inner, -0.30, width=0.10)
    for knee in both([(0.14, 0.24), (0.30, 0.18)]):
        pen.streak(knee, -0.22, width=0.06)
    for shin in both([(0.24, -0.4), (0.24, 0.9)]):
        pen.streak(shin, 0.18, width=0.07)


def _legs(
    pen: Pen,
    look: Look,
    *,
    hem: float,
    bottom: float,
    top: float,
    crotch: float = -0.40,
    hip: float = 0.40,
    gap: float = 0.02,
) -> None:
    outer = smooth(
        [(hip - 0.08, top), (hip, crotch - 0.05), ((hip + hem) / 2 + 0.04, 0.2), (hem + 0.10, bottom)], closed=False
    )
    inner = max(gap, 0.12 - (hem - 0.2) * 0.6)
    half = [(0, top), *outer, (inner, bottom), (0.012, crotch)]
    pen.part([*half, *reversed(mirror(half))], look.cloth, look.dark)
