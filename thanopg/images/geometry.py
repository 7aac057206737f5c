"""Resizing and cropping exactly as open_clip's `image_transform(is_train=False)` does it on a PIL image."""

from __future__ import annotations

from PIL import Image

from thanopg.models.embedder import Preprocessing

MODES = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def resized_size(width: int, height: int, wanted: Preprocessing) -> tuple[int, int]:
    """(width, height) a picture has after resizing and before cropping or padding."""
    if wanted.resize_mode == "squash":
        return wanted.width, wanted.height
    if wanted.resize_mode == "shortest" and wanted.width == wanted.height:
        # torchvision's Resize(int): the long side is cut, not rounded
        side = wanted.width
        if width <= height:
            return side, int(side * height / width)
        return int(side * width / height), side
    pick = max if wanted.resize_mode == "longest" else min
    ratio = pick(height / wanted.height, width / wanted.width)
    return round(width / ratio), round(height / ratio)


def resize(image: Image.Image, wanted: Preprocessing) -> Image.Image:
    """Any mode that Pillow interpolates → the same mode, not yet cropped."""
    not_square = wanted.resize_mode == "shortest" and wanted.width != wanted.height
    mode = Image.Resampling.BICUBIC if not_square else MODES[wanted.interpolation]
    return image.resize(resized_size(*image.size, wanted), mode)


def crop_or_pad(image: Image.Image, wanted: Preprocessing) -> Image.Image:
    """RGB of any size → RGB of exactly the wanted size, around the centre."""
    if image.size == (wanted.width, wanted.height):
        return image
    missing_width, missing_height = max(wanted.width - image.width, 0), max(wanted.height - image.height, 0)
    if missing_width or missing_height:
        fill = (wanted.fill_color if wanted.resize_mode == "longest" else 0,) * 3
        padded = Image.new("RGB", (image.width + missing_width, image.height + missing_height), fill)
        padded.paste(image, (missing_width // 2, missing_height // 2))
        image = padded
    left = round((image.width - wanted.width) / 2)
    top = round((image.height - wanted.height) / 2)
    return image.crop((left, top, left + wanted.width, top + wanted.height))
