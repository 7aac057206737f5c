"""How a picture must come to a model of transformers: its processor's configuration in open_clip's terms.

Pictures are resized once, where decoding can be killed, so the processor is then told not to. A model that takes
pictures of any size gets squares of one size, the whole picture on white: equal costs, and batches without padding.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from thanopg.models.embedder import Preprocessing

Interpolation = Literal["bicubic", "bilinear"]
SIDE = 448
"""pixels of a side where the model leaves it to us: 256 tokens of a Qwen-VL"""
WHITE = 255
BILINEAR = 2
"""PIL's number"""
CUTS_UP = ("do_image_splitting", "crop_to_patches", "do_pan_and_scan", "image_grid_pinpoints")
"""settings of processors that make several tiles of a picture, each in its own way"""


@dataclass(frozen=True, kw_only=True)
class PictureSize:
    preprocessing: Preprocessing
    options: dict[str, Any] = field(default_factory=dict)
    """for the processor, so that it leaves the size alone; none for one that cuts up what it gets"""


def picture_size(processor: Any) -> PictureSize:
    """`processor` is the image processor."""
    interpolation: Interpolation = (
        "bilinear" if int(getattr(processor, "resample", None) or 0) == BILINEAR else "bicubic"
    )
    size = _sizes(processor, "size")
    crop = _sizes(processor, "crop_size") if getattr(processor, "do_center_crop", False) else {}
    if any(getattr(processor, name, None) for name in CUTS_UP):
        return PictureSize(preprocessing=_whole(SIDE))
    if size.get("height") and size.get("width") and not crop:
        squash = Preprocessing(
            height=size["height"], width=size["width"], resize_mode="squash", interpolation=interpolation
        )
        return PictureSize(preprocessing=squash, options={"do_resize": False})
    if crop.get("height") and crop.get("width"):
        cut = Preprocessing(height=crop["height"], width=crop["width"], interpolation=interpolation)
        return PictureSize(preprocessing=cut, options={"do_resize": False, "do_center_crop": False})
    if getattr(processor, "merge_size", None) and getattr(processor, "patch_size", None):
        side = _side(
            int(processor.patch_size) * int(processor.merge_size),
            size.get("shortest_edge") or 0,  # pixels of the whole picture, in spite of the name
            size.get("longest_edge") or SIDE * SIDE,
        )
        return PictureSize(preprocessing=_whole(side), options={"do_resize": False})
    return PictureSize(preprocessing=_whole(SIDE))


def pixel_geometry(processor: Any, preprocessing: Preprocessing) -> dict[str, Any]:
    """All that becomes of a picture before the model sees it, for its fingerprint."""
    named = ("image_mean", "image_std", "rescale_factor", "patch_size", "merge_size", "temporal_patch_size", *CUTS_UP)
    settings = {name: value for name in named if (value := getattr(processor, name, None)) is not None}
    return {**asdict(preprocessing), **settings}


def _whole(side: int) -> Preprocessing:
    return Preprocessing(height=side, width=side, resize_mode="longest", fill_color=WHITE)


def _side(step: int, least: int, most: int) -> int:
    """The multiple of `step` nearest to SIDE whose square is within the bounds."""
    side = max(step, SIDE // step * step)
    while side > step and side * side > most:
        side -= step
    while side * side < least:
        side += step
    return side


def _sizes(processor: Any, name: str) -> dict[str, int]:
    value = getattr(processor, name, None)
    if isinstance(value, int):
        return {"height": value, "width": value}
    members = ("height", "width", "shortest_edge", "longest_edge")
    found: dict[str, Any] = (
        value if isinstance(value, dict) else {member: getattr(value, member, None) for member in members}
    )
    return {member: int(found[member]) for member in members if found.get(member)}
