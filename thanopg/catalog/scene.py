"""Where a product lies: background, clutter, light and shadow."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from thanopg.catalog.palette import RGB, darker, lighter, luminance, mix

_TINTS: tuple[RGB, ...] = (
    (246, 245, 243),
    (238, 236, 233),
    (250, 249, 247),
    (235, 238, 241),
    (242, 236, 228),
    (230, 234, 228),
    (240, 231, 231),
    (226, 230, 237),
    (221, 217, 212),
    (205, 207, 210),
)


def background(side: int, main: RGB, random: Random) -> Image.Image:
    """A picture of `side` × `side` that the product's colour stands out from."""
    tint = random.choice(_TINTS)
    if luminance(main) > 0.80:
        tint = darker(tint, random.uniform(0.10, 0.22))
    painter = random.choices(tuple(_PAINTERS), weights=tuple(_PAINTERS.values()))[0]
    picture = painter(side, tint, random)
    if random.random() < 0.22:
        _clutter(ImageDraw.Draw(picture), side, tint, random)
    return picture


def settle(picture: Image.Image, product: Image.Image, alpha: Image.Image, random: Random) -> Image.Image:
    """The product with light from one side on the picture, over its own soft shadow."""
    side = picture.width
    small = max(16, side // 4)
    blur = ImageFilter.GaussianBlur(small * random.uniform(0.018, 0.045))
    shadow = (
        alpha.resize((small, small), Image.Resampling.BOX).filter(blur).resize((side, side), Image.Resampling.BILINEAR)
    )
    dx, dy = round(side * random.uniform(-0.03, 0.03)), round(side * random.uniform(0.008, 0.035))
    strength = random.uniform(0.25, 0.50)
    shadow = ImageChops.offset(shadow, dx, dy).point([round(value * strength) for value in range(256)])
    ImageDraw.Draw(shadow).rectangle((0, 0, side - 1, max(dy, 0)), fill=0)
    picture.paste((38, 34, 42), mask=shadow)
    light = (
        Image.linear_gradient("L")
        .rotate(random.choice((0, 90, 180, 270)))
        .resize((side, side), Image.Resampling.BILINEAR)
    )
    low = random.randint(196, 228)
    light = light.point([low + value * (255 - low) // 255 for value in range(256)])
    picture.paste(ImageChops.multiply(product, Image.merge("RGB", (light, light, light))), mask=alpha)
    return picture


def front(picture: Image.Image, random: Random) -> None:
    """Now and then something small lies over a corner of it all."""
    chance = random.random()
    if chance > 0.07:
        return
    side = picture.width
    draw = ImageDraw.Draw(picture)
    left, top = random.choice((0.02, 0.80)) * side, random.choice((0.03, 0.84)) * side
    if chance < 0.03:
        draw.rounded_rectangle(
            (left, top, left + 0.18 * side, top + 0.12 * side),
            0.02 * side,
            fill=(252, 251, 248),
            outline=(190, 188, 184),
        )
        for i in range(2):
            y = top + (0.045 + 0.035 * i) * side
            draw.line((left + 0.03 * side, y, left + 0.14 * side, y), fill=(120, 118, 116), width=max(1, side // 160))
    else:
        _leaf(draw, left + 0.09 * side, top + 0.06 * side, side * random.uniform(0.08, 0.12), random)


def _flat(side: int, tint: RGB, random: Random) -> Image.Image:
    return Image.new("RGB", (side, side), tint)


def _gradient(side: int, tint: RGB, random: Random) -> Image.Image:
    ramp = (
        Image.linear_gradient("L")
        .rotate(random.choice((0, 90, 180, 270)))
        .resize((side, side), Image.Resampling.BILINEAR)
    )
    return Image.composite(
        _flat(side, darker(tint, random.uniform(0.06, 0.16)), random), _flat(side, lighter(tint), random), ramp
    )


def _halo(side: int, tint: RGB, random: Random) -> Image.Image:
    ramp = Image.radial_gradient("L").resize((side, side), Image.Resampling.BILINEAR)
    return Image.composite(
        _flat(side, darker(tint, random.uniform(0.08, 0.20)), random), _flat(side, lighter(tint, 0.6), random), ramp
    )


def _floor(side: int, tint: RGB, random: Random) -> Image.Image:
    """A wall and what stands before it."""
    picture = _gradient(side, tint, random)
    line = round(side * random.uniform(0.62, 0.80))
    ImageDraw.Draw(picture).rectangle((0, line, side, side), fill=darker(tint, random.uniform(0.06, 0.14)))
    return picture


def _disc(side: int, tint: RGB, random: Random) -> Image.Image:
    picture = _flat(side, tint, random)
    radius, x, y = (
        side * random.uniform(0.36, 0.46),
        side * random.uniform(0.46, 0.54),
        side * random.uniform(0.46, 0.54),
    )
    fill = lighter(tint, 0.6) if random.random() < 0.6 else darker(tint, 0.08)
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    return picture


def _planks(side: int, tint: RGB, random: Random) -> Image.Image:
    wood = mix(tint, random.choice(((214, 190, 160), (200, 196, 190), (186, 164, 140))), 0.55)
    picture = Image.new("RGB", (side, side), wood)
    draw = ImageDraw.Draw(picture)
    width = side * random.uniform(0.12, 0.20)
    count = int(side / width) + 2
    for i in range(count):
        top = i * width
        draw.rectangle((0, top, side, top + width), fill=darker(wood, random.uniform(0.0, 0.07)))
        draw.line((0, top, side, top), fill=darker(wood, 0.20), width=max(1, side // 200))
    return picture


def _tiles(side: int, tint: RGB, random: Random) -> Image.Image:
    picture = _flat(side, tint, random)
    draw = ImageDraw.Draw(picture)
    step, line = side * random.uniform(0.16, 0.28), darker(tint, 0.09)
    for i in range(8):
        draw.line((0, i * step, side, i * step), fill=line, width=max(1, side // 160))
        draw.line((i * step, 0, i * step, side), fill=line, width=max(1, side // 160))
    return picture


_PAINTERS: dict[Callable[[int, RGB, Random], Image.Image], float] = {
    _flat: 3,
    _gradient: 4,
    _halo: 3,
    _floor: 2,
    _disc: 2,
    _planks: 1,
    _tiles: 1,
}


def _clutter(draw: ImageDraw.ImageDraw, side: int, tint: RGB, random: Random) -> None:
    for _ in range(random.randint(1, 3)):
        x, y = random.choice((random.uniform(0.02, 0.12), random.uniform(0.88, 0.98))), random.uniform(0.05, 0.95)
        if random.random() < 0.5:
            x, y = y, x
        size = side * random.uniform(0.05, 0.10)
        kind = random.random()
        if kind < 0.5:
            _leaf(draw, x * side, y * side, size, random)
        elif kind < 0.8:
            fill = mix(tint, random.choice(((206, 170, 130), (150, 160, 170), (196, 150, 150))), 0.5)
            draw.ellipse((x * side - size, y * side - size, x * side + size, y * side + size), fill=fill)
        else:
            fill = darker(tint, random.uniform(0.10, 0.25))
            draw.rectangle((x * side - size, y * side - size * 0.7, x * side + size, y * side + size * 0.7), fill=fill)


def _leaf(draw: ImageDraw.ImageDraw, x: float, y: float, size: float, random: Random) -> None:
    green = random.choice(((132, 154, 122), (112, 138, 116), (168, 172, 140)))
    lean = random.uniform(-1, 1)
    for i in (-1, 0, 1):
        tip = (x + size * (lean + i * 0.7), y - size * (1.1 - 0.3 * abs(i)))
        width = size * 0.20
        draw.polygon(
            [(x, y), ((x + tip[0]) / 2 - width, (y + tip[1]) / 2), tip, ((x + tip[0]) / 2 + width, (y + tip[1]) / 2)],
            fill=green,
        )
