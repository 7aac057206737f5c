"""Photographs that the project makes: JPEGs with detail at every scale, of the sizes that cameras and shops have."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from thanopg.images.noise import photograph

SIZES = {"640 pixels": (640, 480), "1080p": (1920, 1080), "12 megapixels": (4000, 3000)}
QUALITY = 88
MARGIN = 8
"""pixels from one window to the next"""


def write_photographs(directory: Path, size: tuple[int, int], count: int) -> list[Path]:
    """`count` different files in `directory`: windows of one scene, each a little further, every other one mirrored."""
    directory.mkdir(parents=True)
    width, height = size
    scene = photograph(width + MARGIN * count, height + MARGIN * count)
    paths = []
    for number in range(count):
        left, top = MARGIN * number, MARGIN * (count - number)
        window = Image.fromarray(scene[top : top + height, left : left + width])
        picture = window.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else window
        path = directory / f"{number:05}.jpg"
        picture.save(path, "JPEG", quality=QUALITY)
        paths.append(path)
    return paths
