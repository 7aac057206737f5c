"""PRINT IMAGE in a notebook: every picture under its path, as small JPEGs in the page itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from thanopg.config import ImageLimits
from thanopg.errors import ThanopgError
from thanopg.gallery.thumbnail import data_uri, small_picture
from thanopg.thanosql.result import Images, Picture

SIDE = 240
"""pixels of the page; the picture has more, for dense screens"""
DENSITY = 1.5
WHOLE = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-end"
ONE = f"margin:0;width:{SIDE}px"
LABEL = "font-size:11px;line-height:1.3;overflow-wrap:anywhere;margin:0 0 4px"

Read = Callable[[Picture | str | bytes], bytes]
"""Session.read_picture"""


class Sheet:
    """What is displayed: pictures where HTML is shown, one path a line elsewhere."""

    def __init__(self, images: Images, shown: Sequence[str]) -> None:
        """`shown`: the HTML of each picture."""
        self._labels = [picture.label for picture in images.pictures]
        self._shown = shown

    def _repr_html_(self) -> str:
        figures = [
            f'<figure style="{ONE}"><figcaption style="{LABEL}">{escape(label)}</figcaption>{html}</figure>'
            for label, html in zip(self._labels, self._shown, strict=True)
        ]
        return f'<div style="{WHOLE}">{"".join(figures)}</div>'

    def __repr__(self) -> str:
        return "\n".join(self._labels)


def sheet_of(images: Images, read: Read, limits: ImageLimits) -> Sheet:
    return Sheet(images, [_shown(picture, read, limits) for picture in images.pictures])


def thumbnail(source: Picture | str | bytes, read: Read, limits: ImageLimits, side: int) -> str:
    """A data: URI. Raises ImageError, ImageRootUnavailable."""
    return data_uri(small_picture(read(source), round(side * DENSITY), limits))


def picture_html(uri: str, name: str, side: int) -> str:
    style = f"max-width:{side}px;max-height:{side}px"
    return f'<img src="{uri}" alt="{escape(name)}" title="{escape(name)}" style="{style}">'


def _shown(picture: Picture, read: Read, limits: ImageLimits) -> str:
    if picture.source is None:
        return "<div>NULL</div>"
    try:
        return picture_html(thumbnail(picture, read, limits, SIDE), picture.label, SIDE)
    except ThanopgError as error:
        return f"<div>{escape(error.message)}</div>"
