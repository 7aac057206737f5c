"""T-shirts and shirts, drawn flat."""

from __future__ import annotations

from random import Random

from thanopg.catalog.cloth import Look
from thanopg.catalog.palette import darker, lighter
from thanopg.catalog.pen import Pen, both, ellipse, whole
from thanopg.catalog.product import Product
from thanopg.catalog.tailoring import behind, folds, hanger, neck, neck_band, sleeves


def tshirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    bare = product.sleeve == "none"
    shoulder = 0.36 if bare else 0.48
    hem = random.uniform(0.72, 0.84)
    width = random.uniform(0.42, 0.48)
    opening = neck(product.neckline, top=-0.80, half=0.20, random=random)
    hanger(pen, list, top=-0.80, half=shoulder - 0.02, random=random)
    if not bare:
        sleeves(
            pen, look, list, shoulder=shoulder, top=-0.70, armpit=-0.28, long=product.sleeve == "long", random=random
        )
    behind(pen, look, list, opening)
    arm = [(0.31, -0.50), (0.37, -0.30), (width - 0.02, -0.20)] if bare else [(0.43, -0.45), (0.42, -0.25)]
    body = [*opening, (shoulder, -0.71), *arm, (width - 0.02, 0.2), (width, hem), (0.2, hem + 0.025), (0, hem + 0.03)]
    pen.part(whole(body), look.cloth, look.dark)
    neck_band(pen, look, list, opening)
    pen.line([(-width, hem - 0.05), (0, hem - 0.02), (width, hem - 0.05)], look.dark, width=0.010)
    folds(pen, width, hem, random)


def shirt(pen: Pen, look: Look, product: Product, random: Random) -> None:
    hem = random.uniform(0.76, 0.88)
    width = random.uniform(0.40, 0.46)
    hanger(pen, list, top=-0.82, half=0.44, random=random)
    sleeves(
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
    folds(pen, width, hem, random)
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
