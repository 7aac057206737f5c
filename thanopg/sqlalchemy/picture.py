"""A PIL image as the bytes of a file. Nothing is imported: who has a PIL image has imported PIL."""

from __future__ import annotations

import io
import sys
from typing import Any

PNG_MODES = {"1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"}


def is_picture(value: object) -> bool:
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(value, pil.Image)


def png_of(image: Any) -> bytes:
    """Lossless, and upright: the tag that says how a camera was held would be lost with the file it came from."""
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode not in PNG_MODES:
        upright = upright.convert("RGB")
    buffer = io.BytesIO()
    upright.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
