"""A picture in a terminal under its path: kitty's protocol or sixel where the terminal has it, else half blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable

from rich.text import Text

from thanopg.cli.screen import Screen
from thanopg.config import ImageLimits
from thanopg.errors import ImageError, ImageRootUnavailable
from thanopg.gallery.thumbnail import small_picture
from thanopg.thanosql.result import Picture

ROWS = 14
"""lines of the terminal that a picture takes"""
PIXELS = 480

Read = Callable[[Picture | str | bytes], bytes]


def draw_picture(screen: Screen, picture: Picture, read: Read, limits: ImageLimits) -> None:
    """A picture that can't be shown is said to be so, and is no error."""
    logging.getLogger("textual_image").setLevel(logging.ERROR)
    from textual_image.renderable import Image  # asks the terminal what it can

    screen.out.print(Text(picture.label, style="dim"))
    if picture.source is None:
        return
    try:
        image = small_picture(read(picture), PIXELS, limits)
    except (ImageError, ImageRootUnavailable) as error:
        screen.warn(error.message)
        return
    screen.out.print(Image(image, height=ROWS, width="auto"), soft_wrap=False)
