"""Small pictures as data: URIs, so that a page needs no other file."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps

SIDE = 224
QUALITY = 80


@lru_cache(maxsize=4096)
def thumbnail(path: Path, side: int = SIDE) -> str:
    """A JPEG of at most `side` pixels as a data: URI. Raises OSError for what is not there or no picture."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((side, side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        upright.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
