"""What lies about: things around a product, and now and then one that covers a part of it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw

from thanopg.catalog.palette import RGB, darker, lighter, mix

_AROUND, _IN_FRONT = 0.34, 0.16
"""of all pictures"""
_WARES: tuple[RGB, ...] = ((206, 170, 130), (150, 160, 170), (196, 150, 150), (160, 176, 150), (222, 206, 180))
Thing = Callable[[ImageDraw.ImageDraw, float, float, float, Random], None]


def around(picture: Image.Image, tint: RGB, random: Random) -> None:
    """Up to four things near the edges, behind the product, in quiet colours."""
    if random.random() >= _AROUND:
        return
    draw, side = ImageDraw.Draw(picture), picture.width
    for _ in range(random.randint(1, 4)):
        x, y = random.choice((random.uniform(0.02, 0.12), random.uniform(0.88, 0.98))), random.uniform(0.05, 0.95)
        if random.random() < 0.5:
            x, y = y, x
        thing = random.choices(tuple(_THINGS), weights=tuple(_THINGS.values()))[0]
        thing(draw, x * side, y * side, side * random.uniform(0.05, 0.11), random)


def front(picture: Image.Image, random: Random) -> None:
    """Now and then something small lies over a corner of it all, or a twig reaches into it."""
    chance = random.random()
    if chance > _IN_FRONT:
        return
    draw, side = ImageDraw.Draw(picture), picture.width
    left, top = random.choice((0.02, 0.80)) * side, random.choice((0.03, 0.84)) * side
    if chance < 0.04:
        _label(draw, left, top, side)
    elif chance < 0.09:
        _leaf(draw, left + 0.09 * side, top + 0.06 * side, side * random.uniform(0.08, 0.12), random)
    elif chance < 0.13:
        _twig(draw, side, random)
    else:
        _price(draw, side, random)


def _label(draw: ImageDraw.ImageDraw, left: float, top: float, side: int) -> None:
    box = (left, top, left + 0.18 * side, top + 0.12 * side)
    draw.rounded_rectangle(box, 0.02 * side, fill=(252, 251, 248), outline=(190, 188, 184))
    for i in range(2):
        y = top + (0.045 + 0.035 * i) * side
        draw.line((left + 0.03 * side, y, left + 0.14 * side, y), fill=(120, 118, 116), width=max(1, side // 160))


def _price(draw: ImageDraw.ImageDraw, side: int, random: Random) -> None:
    """A tag of card on a string, over the product's edge."""
    x, y = random.choice((0.27, 0.73)) * side, random.uniform(0.55, 0.75) * side
    size = side * random.uniform(0.045, 0.06)
    draw.line((x, y - size * 2.4, x, y - size), fill=(140, 130, 116), width=max(1, side // 120))
    shape = [(x, y - size * 1.2), (x + size * 0.7, y - size * 0.7), (x + size * 0.7, y + size * 1.2)]
    shape += [(x - size * 0.7, y + size * 1.2), (x - size * 0.7, y - size * 0.7)]
    draw.polygon(shape, fill=(236, 224, 200), outline=(176, 160, 132))
    hole = size * 0.16
    draw.ellipse((x - hole, y - size * 0.75 - hole, x + hole, y - size * 0.75 + hole), fill=(140, 130, 116))


def _twig(draw: ImageDraw.ImageDraw, side: int, random: Random) -> None:
    """Comes in from an edge and covers a little of the product."""
    right, y = random.random() < 0.5, random.uniform(0.15, 0.85)
    green = random.choice(_GREENS)
    x, reach = (1.0 if right else 0.0), random.uniform(0.22, 0.34) * (-1 if right else 1)
    lean = random.uniform(-0.16, 0.16)
    stem = [(x * side, y * side), ((x + reach) * side, (y + lean) * side)]
    draw.line(stem, fill=darker(green, 0.3), width=max(1, side // 110))
    for i in range(1, 6):
        px, py = (x + reach * i / 5) * side, (y + lean * i / 5) * side
        size = side * 0.034
        up = -1 if i % 2 else 1
        tip = (px + reach * side * 0.14, py + up * size * 1.8)
        leaf = [(px, py), ((px + tip[0]) / 2 - size * 0.5, (py + tip[1]) / 2), tip]
        draw.polygon([*leaf, ((px + tip[0]) / 2 + size * 0.5, (py + tip[1]) / 2)], fill=green)


_GREENS: tuple[RGB, ...] = ((132, 154, 122), (112, 138, 116), (168, 172, 140))


def _leaf(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    green = random.choice(_GREENS)
    lean = random.uniform(-1, 1)
    for i in (-1, 0, 1):
        tip = (x + size * (lean + i * 0.7), y - size * (1.1 - 0.3 * abs(i)))
        width = size * 0.20
        middle = ((x + tip[0]) / 2, (y + tip[1]) / 2)
        draw.polygon([(x, y), (middle[0] - width, middle[1]), tip, (middle[0] + width, middle[1])], fill=green)


def _ball(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    fill = mix((238, 234, 230), random.choice(_WARES), 0.5)
    draw.ellipse((x - size, y - size, x + size, y + size), fill=fill)


def _cup(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    """Of coffee, from above."""
    ware = lighter(random.choice(_WARES), 0.6)
    draw.ellipse((x - size * 1.2, y - size * 1.2, x + size * 1.2, y + size * 1.2), fill=darker(ware, 0.10))
    draw.ellipse((x - size * 0.85, y - size * 0.85, x + size * 0.85, y + size * 0.85), fill=ware)
    draw.ellipse((x - size * 0.66, y - size * 0.66, x + size * 0.66, y + size * 0.66), fill=(122, 92, 70))


def _book(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    cover = mix((232, 228, 224), random.choice(_WARES), 0.65)
    box = (x - size * 1.1, y - size * 0.8, x + size * 1.1, y + size * 0.8)
    draw.rectangle(box, fill=cover, outline=darker(cover, 0.2))
    for i in range(2):
        line = y - size * 0.3 + i * size * 0.3
        draw.line(
            (x - size * 0.6, line, x + size * 0.4, line), fill=lighter(cover, 0.6), width=max(1, round(size / 10))
        )


def _pot(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    for _ in range(3):
        _leaf(draw, x + random.uniform(-0.4, 0.4) * size, y, size * 1.3, random)
    clay = mix((236, 232, 226), random.choice(_WARES), 0.7)
    shape = [(x - size * 0.6, y - size * 0.1), (x + size * 0.6, y - size * 0.1), (x + size * 0.42, y + size)]
    draw.polygon([*shape, (x - size * 0.42, y + size)], fill=clay)


_THINGS: dict[Thing, float] = {_leaf: 4, _ball: 2, _cup: 1.5, _book: 1.5, _pot: 2}
