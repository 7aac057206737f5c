"""Small pictures as data: URIs, so that a page needs no other file."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.decode import FORMATS
from thanopg.images.modes import flattened, orientation, turned

SIDE = 224
QUALITY = 80


@lru_cache(maxsize=4096)
def thumbnail(path: Path, side: int = SIDE) -> str:
    """A JPEG of at most `side` pixels as a data: URI. Raises OSError for what is not there or no picture."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((side, side), Image.Resampling.LANCZOS)
        return data_uri(upright)


def small_picture(data: bytes, side: int, limits: ImageLimits) -> Image.Image:
    """A file's bytes → RGB, upright, at most `side` pixels wide and high; never enlarged. Raises ImageError."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > limits.pixels:
                raise ImageError("too_large", f"expected at most {limits.pixels} pixels")
            image.draft("RGB", (2 * side, 2 * side))  # JPEG: most of the work is never done
            image.load()
            small = turned(flattened(image), orientation(image)).convert("RGB")
    except (ImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise ImageError("not_an_image", f"expected one of {', '.join(FORMATS)}, not these bytes") from error
    except Exception as error:  # Pillow's plugins raise whatever the damage leads to
        raise ImageError("truncated", "the picture is truncated or damaged") from error
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def data_uri(image: Image.Image) -> str:
    """As a JPEG."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
