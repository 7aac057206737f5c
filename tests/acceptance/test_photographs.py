"""Photographs of every kind take the path that stored vectors take, and arrive as plain open_clip sees them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.pictures import ORDINARY, encoded, jpeg, photograph
from tests.small_models import SMALL, VISION, Plain, save_model
from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.decode import decode
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.bundled import BUNDLED_DIRECTORY
from thanopg.models.embedder import Embedder, Preprocessing
from thanopg.models.load import load_embedder
from thanopg.models.torchvision_shim import import_torchvision

LIMITS = ImageLimits()
SIZES = [(320, 240), (240, 320), (640, 427), (101, 211), (37, 500), (20, 13), (64, 64), (1, 7)]


@pytest.fixture(scope="module")
def pool() -> Iterator[DecodePool]:
    with DecodePool(2, LIMITS) as pool:
        yield pool


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Embedder, Plain]:
    source = save_model(tmp_path_factory.mktemp("small"), {**SMALL, "vision_cfg": {**VISION, "image_size": 96}})
    return load_embedder(source, device="cpu"), Plain(source)


def open_clips_pixels(image: Image.Image, size: int | tuple[int, int], **options: Any) -> np.ndarray[Any, Any]:
    """The uint8 pixels that open_clip's transform has before it makes a tensor of them."""
    import_torchvision()
    import open_clip

    transform = open_clip.image_transform(size, is_train=False, **options)
    for step in transform.transforms[:-2]:  # without ToTensor and Normalize
        image = step(image)
    return np.asarray(image)


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_pixels_are_open_clips_to_the_bit(mode: Any, interpolation: Any, size: tuple[int, int]) -> None:
    wanted = Preprocessing(height=size[0], width=size[1], resize_mode=mode, interpolation=interpolation, fill_color=99)
    options = {"resize_mode": mode, "interpolation": interpolation, "fill_color": 99}
    for width, height in SIZES:
        image = photograph(width, height, seed=width)
        found = decode(encoded(image, "PNG"), wanted, LIMITS)
        assert (found == open_clips_pixels(image, size, **options)).all(), (width, height)


@pytest.mark.parametrize("kind", ORDINARY)
def test_files_are_open_clips_to_the_bit(kind: str, tmp_path: Path) -> None:
    wanted = Preprocessing(height=96, width=96)
    for seed, (width, height) in enumerate(SIZES[:4]):
        file = tmp_path / f"{seed}"
        file.write_bytes(ORDINARY[kind](photograph(width, height, seed=seed)))
        with Image.open(file) as image:
            assert (decode(file.read_bytes(), wanted, LIMITS) == open_clips_pixels(image, 96)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_photographs_are_open_clips_after_turning_them(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(photograph(333, 222), exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
    assert (decode(data, Preprocessing(height=96, width=96), LIMITS) == open_clips_pixels(upright, 96)).all()


def test_vectors_of_files_are_plain_open_clips(small: tuple[Embedder, Plain], pool: DecodePool, tmp_path: Path) -> None:
    embedder, plain = small
    reader = ImageReader(tmp_path, LIMITS)
    files = []
    for seed, (kind, (width, height)) in enumerate(itertools.product(ORDINARY, SIZES[:3])):
        file = tmp_path / f"{seed}"
        file.write_bytes(ORDINARY[kind](photograph(width, height, seed=seed)))
        files.append(file)
    decoding = [pool.submit(reader.read(file.name).data, embedder.preprocessing) for file in files]
    stored = embedder.embed_images(np.stack([future.result() for future in decoding]))
    assert (stored * plain.files(files)).sum(axis=1).min() >= 0.9999


def test_the_bundled_models_vectors_are_plain_open_clips(pool: DecodePool, tmp_path: Path) -> None:
    embedder, plain = load_embedder("catalog"), Plain(f"local-dir:{BUNDLED_DIRECTORY}")
    files = [tmp_path / f"{seed}.jpg" for seed in range(8)]
    for seed, file in enumerate(files):
        file.write_bytes(jpeg(photograph(200 + seed, 300, seed=seed)))
    decoding = [pool.submit(file.read_bytes(), embedder.preprocessing) for file in files]
    stored = embedder.embed_images(np.stack([future.result() for future in decoding]))
    assert (stored * plain.files(files)).sum(axis=1).min() >= 0.9999
    texts = ["밝은 빨간색 미니 원피스", "a light red mini dress", "귀걸이", "x " * 500]
    found = embedder.embed_texts(texts)
    assert (found.vectors * plain.texts(texts)).sum(axis=1).min() >= 0.9999
    assert found.truncated == (False, False, False, True)


def test_one_truncated_file_beside_others(pool: DecodePool) -> None:
    wanted = Preprocessing(height=32, width=32)
    datas = [jpeg(photograph(80, 60, seed=seed)) for seed in range(50)]
    datas[17] = datas[17][: len(datas[17]) // 2]
    futures = [pool.submit(data, wanted) for data in datas]
    failed = [index for index, future in enumerate(futures) if future.exception() is not None]
    assert failed == [17]
    error = futures[17].exception()
    assert isinstance(error, ImageError)
    assert error.fault == "truncated"
