"""Every way Pillow stores pixels → one that interpolates well, without transparency, and the right way up."""

from __future__ import annotations

import numpy as np
from PIL import ExifTags, Image

from thanopg.errors import ImageError

WHITE = (255, 255, 255)
AS_THEY_ARE = frozenset({"L", "RGB", "CMYK", "YCbCr"})
"""modes that open_clip, too, resizes before it converts them"""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what undoes it"""


def orientation(image: Image.Image) -> int:
    """EXIF orientation of a loaded picture, 1 to 8; 1, as it is, where there is none or the EXIF is damaged."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # a picture is worth more than its metadata, and Pillow raises many things here
        return 1
    return value if isinstance(value, int) and value in UPRIGHT else 1


def turned(image: Image.Image, value: int) -> Image.Image:
    """Undoes an EXIF orientation."""
    undo = UPRIGHT.get(value)
    return image if undo is None else image.transpose(undo)


def flattened(image: Image.Image) -> Image.Image:
    """A loaded picture of any mode → L, RGB, CMYK or YCbCr. Raises ImageError."""
    if image.mode in AS_THEY_ARE and not image.has_transparency_data:
        return image
    if image.mode.startswith("I"):
        return _grey16(image)
    if image.has_transparency_data:
        return _on_white(image)
    if image.mode in ("1", "P", "RGBX"):
        return image.convert("L" if image.mode == "1" else "RGB")
    if image.mode == "F":
        raise ImageError("not_an_image", "expected integer pixels, not floating point, whose range is unknown")
    raise ImageError("not_an_image", f"expected grey, RGB, CMYK or palette pixels, not {image.mode}")


def _on_white(image: Image.Image) -> Image.Image:
    picture = image.convert("RGBA")
    page = Image.new("RGB", picture.size, WHITE)
    page.paste(picture, mask=picture.getchannel("A"))
    return page


def _grey16(image: Image.Image) -> Image.Image:
    """16-bit grey, also where it is stored in 32 bits → 8-bit grey, 65535 becoming 255; Pillow's own would clip."""
    stored = np.asarray(image)
    if stored.dtype.itemsize > 2 and (stored.min() < 0 or stored.max() > 65_535):
        raise ImageError("not_an_image", "expected at most 16 bits per grey pixel, not 32")
    values = stored.astype(np.uint32)
    values += 128
    values //= 257
    return Image.fromarray(values.astype(np.uint8))
