"""Light on a product: its edges turn away, its folds lie in shade, and it comes from one side."""

from __future__ import annotations

from random import Random

from PIL import Image, ImageChops, ImageFilter

from thanopg.catalog.pen import NEUTRAL

_DARKEST = 0.46
"""of the colour that is taken away at most"""
_BRIGHTEST = 0.55
_ROUNDNESS = 0.42


def round_off(colour: Image.Image, alpha: Image.Image, tone: Image.Image, random: Random) -> Image.Image:
    """The painted product with volume: light on the edges of one side, shade on those of the other, and `tone`."""
    side = max(8, colour.width // 3)
    small = alpha.resize((side, side), Image.Resampling.BOX)
    reach = max(1, round(side * 0.018))
    soft = small.filter(ImageFilter.GaussianBlur(side * 0.022))
    across = random.choice((-reach, reach))
    lit, shaded = ImageChops.offset(soft, across, reach), ImageChops.offset(soft, -across, -reach)
    relief = ImageChops.subtract(lit, shaded, 1 / _ROUNDNESS, NEUTRAL)
    folds = tone.resize((side, side), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(side * 0.010))
    both = ImageChops.add(relief, folds, 1, -NEUTRAL).resize(colour.size, Image.Resampling.BILINEAR)
    shade = both.point([255 - round(max(0, NEUTRAL - value) * 2 * _DARKEST) for value in range(256)])
    gloss = both.point([round(max(0, value - NEUTRAL) * 2 * _BRIGHTEST) for value in range(256)])
    return ImageChops.screen(ImageChops.multiply(colour, _grey(shade)), _grey(gloss))


def _grey(layer: Image.Image) -> Image.Image:
    return Image.merge("RGB", (layer, layer, layer))
