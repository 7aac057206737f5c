"""One undecoded picture → the pixels a model wants. Runs in a process that may be killed: see pool.py.

For an ordinary RGB or greyscale picture the pixels are, bit for bit, those of open_clip's own preprocessing, unless a
draft is allowed: then a large JPEG is scaled to a half, a quarter or an eighth by its decoder, which skips most of the
work, and resized from there. Beyond it: EXIF orientation is applied, transparency is laid on white, palettes and 16-bit
grey are converted before they are resized, and only the first frame of an animation counts.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from thanopg.config import ImageLimits
from thanopg.errors import ImageError, ImageFault
from thanopg.images.geometry import crop_or_pad, resize, resized_size
from thanopg.images.modes import flattened, orientation, turned
from thanopg.models.embedder import Pixels, Preprocessing

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Pillow's names; JPEG includes MPO, the several pictures in one file of phones and stereo cameras"""
DRAFT_PIXELS = 1_000_000
"""smaller pictures are decoded in no time, so they stay exact"""
DRAFT_OVERSIZE = 2
"""a draft has at least so many times the sides of what is made of it"""
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


def decode(data: bytes, preprocessing: Preprocessing, limits: ImageLimits) -> Pixels:
    """A file's bytes → uint8 (height, width, 3), RGB, contiguous.

    Sets Pillow's process-wide limits while it runs, so one thread at a time. Raises ImageError.
    """
    if len(data) > limits.bytes:
        raise ImageError("too_large", f"expected at most {limits.bytes} bytes, not {len(data)}")
    with _pillow_limits(limits):
        image = _open(data)
        _check_pixels(image, limits)
        if preprocessing.draft and image.format in ("JPEG", "MPO"):
            _draft(image, preprocessing)
        image = _load(image)
        _check_resized(image, preprocessing, limits)
        small = resize(image, preprocessing)
        return np.array(crop_or_pad(small.convert("RGB"), preprocessing), dtype=np.uint8)


def _open(data: bytes) -> Image.Image:
    if not data:
        raise ImageError("not_an_image", "expected a picture, not zero bytes")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError("too_large", _words(error)) from error
    except UnidentifiedImageError as error:
        if data.startswith(SIGNATURES):
            raise ImageError("truncated", "the picture is truncated or damaged in its first bytes") from error
        raise ImageError("not_an_image", f"expected one of {', '.join(FORMATS)}, not these bytes") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever the damage leads to
        raise ImageError("truncated", f"the picture is truncated or damaged: {_words(error)}") from error


def _check_pixels(image: Image.Image, limits: ImageLimits) -> None:
    if image.width * image.height > limits.pixels:
        raise ImageError("too_large", f"expected at most {limits.pixels} pixels, not {image.width} × {image.height}")


def _draft(image: Image.Image, preprocessing: Preprocessing) -> None:
    """Makes the decoder scale, if the picture is much larger than what is wanted of it, whichever way up it is."""
    if image.width * image.height < DRAFT_PIXELS:
        return
    upright = resized_size(image.width, image.height, preprocessing)
    lying = resized_size(image.height, image.width, preprocessing)
    image.draft(None, (DRAFT_OVERSIZE * max(upright[0], lying[1]), DRAFT_OVERSIZE * max(upright[1], lying[0])))


def _load(image: Image.Image) -> Image.Image:
    try:
        image.load()
        return turned(flattened(image), orientation(image))
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError("too_large", _words(error)) from error
    except Exception as error:  # Pillow's plugins raise whatever the damage leads to
        raise ImageError("truncated", f"the picture is truncated or damaged: {_words(error)}") from error


def _check_resized(image: Image.Image, preprocessing: Preprocessing, limits: ImageLimits) -> None:
    """A strip of one pixel's width would grow to gigabytes when its short side is made to fit."""
    width, height = resized_size(*image.size, preprocessing)
    fault: ImageFault | None = None
    if width * height > limits.pixels:
        fault = "too_large"
    elif not width or not height:
        fault = "not_an_image"
    if fault:
        raise ImageError(fault, f"expected a picture less narrow than {image.width} × {image.height}")


@contextlib.contextmanager
def _pillow_limits(limits: ImageLimits) -> Iterator[None]:
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on damaged metadata, which nobody here uses
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _words(error: BaseException) -> str:
    lines = str(error).splitlines()
    return (lines[0].strip() if lines else type(error).__name__)[:200]
