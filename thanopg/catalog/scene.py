"""Where a product lies: background, light and shadow."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from thanopg.catalog import clutter
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
    clutter.around(picture, tint, random)
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


def _marble(side: int, tint: RGB, random: Random) -> Image.Image:
    picture = _flat(side, lighter(tint, 0.5), random)
    draw = ImageDraw.Draw(picture)
    for _ in range(random.randint(4, 7)):
        x, y, lean = random.uniform(-0.2, 1.0), 0.0, random.uniform(0.2, 0.8)
        vein = [(x * side, 0.0)]
        while y < 1.0:
            y += random.uniform(0.06, 0.14)
            x += lean * random.uniform(0.02, 0.16)
            vein.append((x * side, y * side))
        draw.line(vein, fill=darker(tint, random.uniform(0.05, 0.16)), width=max(1, side // 110), joint="curve")
    return picture.filter(ImageFilter.GaussianBlur(max(1.0, side / 160)))


def _linen(side: int, tint: RGB, random: Random) -> Image.Image:
    """Cloth with wide folds."""
    picture = _flat(side, tint, random)
    draw = ImageDraw.Draw(picture)
    lean = random.uniform(-0.5, 0.5)
    for i in range(7):
        x = (i / 6 + random.uniform(-0.06, 0.06)) * 1.4 - 0.2
        width = random.uniform(0.03, 0.09)
        fill = lighter(tint, 0.5) if i % 2 else darker(tint, random.uniform(0.08, 0.15))
        draw.polygon(
            [
                (x * side, 0),
                ((x + width) * side, 0),
                ((x + width * 1.6 + lean) * side, side),
                ((x + lean) * side, side),
            ],
            fill=fill,
        )
    return picture.filter(ImageFilter.GaussianBlur(side / 28))


def _arch(side: int, tint: RGB, random: Random) -> Image.Image:
    """A wall with a niche, in the colours of a studio."""
    wall = mix(tint, random.choice(((226, 200, 186), (206, 216, 206), (204, 212, 226), (232, 220, 196))), 0.5)
    picture = _flat(side, wall, random)
    draw = ImageDraw.Draw(picture)
    half, top, line = side * random.uniform(0.34, 0.42), side * random.uniform(0.04, 0.12), side * 0.84
    inside = lighter(wall, 0.45)
    draw.ellipse((side / 2 - half, top, side / 2 + half, top + 2 * half), fill=inside)
    draw.rectangle((side / 2 - half, top + half, side / 2 + half, line), fill=inside)
    draw.rectangle((0, line, side, side), fill=darker(wall, 0.08))
    return picture


_PAINTERS: dict[Callable[[int, RGB, Random], Image.Image], float] = {
    _flat: 3,
    _gradient: 4,
    _halo: 3,
    _floor: 2,
    _disc: 2,
    _planks: 1.2,
    _tiles: 1,
    _marble: 1.2,
    _linen: 1.5,
    _arch: 1.5,
}
