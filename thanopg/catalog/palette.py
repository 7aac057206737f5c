"""The colours of the catalogue: sixteen names, three shades, and the sRGB values they are painted with."""

from __future__ import annotations

import colorsys
from random import Random
from typing import Literal

RGB = tuple[int, int, int]
Shade = Literal["light", "normal", "dark"]

# colour → (hue in degrees, saturation, lightness) for each of light, normal, dark
_HLS: dict[str, dict[str, tuple[float, float, float]]] = {
    "red": {"light": (3, 1.0, 0.63), "normal": (357, 0.82, 0.44), "dark": (352, 0.80, 0.24)},
    "orange": {"light": (29, 1.0, 0.70), "normal": (24, 0.96, 0.52), "dark": (20, 0.92, 0.37)},
    "yellow": {"light": (54, 0.98, 0.77), "normal": (50, 0.98, 0.54), "dark": (46, 0.92, 0.37)},
    "green": {"light": (112, 0.58, 0.70), "normal": (134, 0.58, 0.39), "dark": (145, 0.60, 0.19)},
    "turquoise": {"light": (174, 0.62, 0.74), "normal": (178, 0.78, 0.42), "dark": (184, 0.85, 0.22)},
    "blue": {"light": (207, 0.85, 0.73), "normal": (217, 0.80, 0.49), "dark": (224, 0.65, 0.22)},
    "purple": {"light": (272, 0.62, 0.77), "normal": (276, 0.55, 0.47), "dark": (279, 0.58, 0.24)},
    "pink": {"light": (344, 0.92, 0.88), "normal": (335, 0.84, 0.69), "dark": (330, 0.72, 0.48)},
    "brown": {"light": (27, 0.44, 0.54), "normal": (24, 0.54, 0.34), "dark": (20, 0.50, 0.19)},
    "beige": {"normal": (38, 0.44, 0.78)},
    "khaki": {"normal": (68, 0.34, 0.36)},
    "black": {"normal": (230, 0.08, 0.09)},
    "white": {"normal": (50, 0.30, 0.965)},
    "grey": {"light": (215, 0.04, 0.76), "normal": (215, 0.04, 0.54), "dark": (215, 0.06, 0.30)},
    "gold": {"normal": (44, 0.74, 0.52)},
    "silver": {"normal": (212, 0.10, 0.77)},
}

COLOURS = tuple(_HLS)
METALS = ("gold", "silver")
CLOTH_COLOURS = tuple(colour for colour in COLOURS if colour not in METALS)


def shades(colour: str) -> tuple[str, ...]:
    """Those that the colour is drawn in: there is no dark white."""
    return tuple(_HLS[colour])


def paint(colour: str, shade: str, random: Random | None = None) -> RGB:
    """The colour as painted, or with `random` one near it, as dyes differ."""
    hue, saturation, lightness = _HLS[colour][shade]
    if random is not None:
        hue += random.uniform(-4, 4)
        saturation = min(1.0, saturation * random.uniform(0.92, 1.06))
        lightness = min(0.985, lightness * random.uniform(0.95, 1.05))
    red, green, blue = colorsys.hls_to_rgb((hue % 360) / 360, lightness, saturation)
    return (round(red * 255), round(green * 255), round(blue * 255))


def mix(one: RGB, other: RGB, share: float) -> RGB:
    """`share` of the other in the one."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return (red, green, blue)


def darker(colour: RGB, share: float = 0.25) -> RGB:
    return mix(colour, (12, 10, 20), share)


def lighter(colour: RGB, share: float = 0.3) -> RGB:
    return mix(colour, (255, 253, 248), share)


def luminance(colour: RGB) -> float:
    """0 black to 1 white, as the eye weighs (Rec. 601)."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255
