"""Every kind of picture becomes the pixels that a person would expect; every broken one a typed fault."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.pictures import ORDINARY, encoded, jpeg, photograph
from thanopg.config import ImageLimits
from thanopg.errors import ImageError
from thanopg.images.decode import decode
from thanopg.models.embedder import Pixels, Preprocessing

SMALL = Preprocessing(height=32, width=32)
LIMITS = ImageLimits()


def pixels(data: bytes, preprocessing: Preprocessing = SMALL, limits: ImageLimits = LIMITS) -> Pixels:
    return decode(data, preprocessing, limits)


def fault_of(data: bytes, limits: ImageLimits = LIMITS, preprocessing: Preprocessing = SMALL) -> str:
    with pytest.raises(ImageError) as caught:
        decode(data, preprocessing, limits)
    return caught.value.fault


def far(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two pictures."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("kind", ORDINARY)
def test_every_format_shows_the_same_picture(kind: str) -> None:
    grey = "grey" in kind
    image = photograph()
    wanted = pixels(encoded(image.convert("L") if grey else image, "PNG"))
    found = pixels(ORDINARY[kind](image))
    assert found.shape == (32, 32, 3)
    assert found.dtype == np.uint8
    assert far(found, wanted) < 4


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(40, 24), (24, 40), (32, 32)])
@pytest.mark.parametrize("shape", [(100, 37), (37, 100), (64, 64), (5, 9), (1, 1)])
def test_the_shape_is_always_the_wanted_one(mode: Any, size: tuple[int, int], shape: tuple[int, int]) -> None:
    wanted = Preprocessing(height=size[0], width=size[1], resize_mode=mode)
    assert pixels(encoded(photograph(*shape), "PNG"), wanted).shape == (*size, 3)


def test_longest_pads_with_the_fill_color() -> None:
    wanted = Preprocessing(height=32, width=32, resize_mode="longest", fill_color=77)
    found = pixels(encoded(Image.new("RGB", (64, 32), "white"), "PNG"), wanted)
    assert (found[:8] == 77).all()
    assert (found[8:24] == 255).all()
    assert (found[24:] == 77).all()


DRAFTY = Preprocessing(height=32, width=32, draft=True)


@pytest.mark.parametrize("kind", ["jpeg", "jpeg, progressive", "jpeg, grey", "cmyk jpeg"])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_a_draft_looks_like_the_whole(kind: str, mode: Any) -> None:
    data = ORDINARY[kind](photograph(1280, 960))
    wanted, found = (
        pixels(data, Preprocessing(height=32, width=40, resize_mode=mode, draft=draft)) for draft in (False, True)
    )
    assert 0 < far(wanted, found) < 1


def test_a_draft_of_a_turned_picture_is_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = jpeg(photograph(1280, 960), exif=exif)
    assert far(pixels(data), pixels(data, DRAFTY)) < 1


@pytest.mark.parametrize("data", [jpeg(photograph(900, 700)), encoded(photograph(1280, 960), "PNG")])
def test_small_pictures_and_other_formats_stay_exact(data: bytes) -> None:
    np.testing.assert_array_equal(pixels(data), pixels(data, DRAFTY))


def test_a_draft_of_a_huge_picture_is_refused_like_the_whole() -> None:
    assert fault_of(jpeg(photograph(1280, 960)), ImageLimits(pixels=1_000_000), DRAFTY) == "too_large"


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera stores it when it says `orientation`."""
    way = Image.Transpose
    stored = {1: None, 2: way.FLIP_LEFT_RIGHT, 3: way.ROTATE_180, 4: way.FLIP_TOP_BOTTOM}
    stored |= {5: way.TRANSPOSE, 6: way.ROTATE_90, 7: way.TRANSVERSE, 8: way.ROTATE_270}
    method = stored[orientation]
    return image if method is None else image.transpose(method)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    image = photograph(96, 64)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if format in ("JPEG", "WEBP") else {}
    found = pixels(encoded(turned(image, orientation), format, exif=exif, **options))
    assert far(found, pixels(encoded(image, "PNG"))) < 6


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_exif_orientations_that_do_not_exist_are_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = photograph()
    assert (pixels(jpeg(image, exif=exif)) == pixels(jpeg(image))).all()


def test_damaged_exif_is_ignored() -> None:
    image = photograph()
    assert (pixels(jpeg(image, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")) == pixels(jpeg(image))).all()


def test_transparency_is_laid_on_white() -> None:
    image = photograph().convert("RGBA")
    image.putalpha(0)
    for format in ("PNG", "WEBP", "TIFF"):
        assert (pixels(encoded(image, format)) == 255).all(), format
    image.putalpha(128)
    half = pixels(encoded(image, "PNG")).astype(int)
    opaque = pixels(encoded(image.convert("RGB"), "PNG")).astype(int)
    assert np.abs(half - (opaque + 255) / 2).max() <= 3


def test_opaque_alpha_changes_nothing() -> None:
    image = photograph()
    assert (pixels(encoded(image.convert("RGBA"), "PNG")) == pixels(encoded(image, "PNG"))).all()


def test_grey_with_alpha() -> None:
    assert (pixels(encoded(Image.new("LA", (50, 50), (0, 0)), "PNG")) == 255).all()
    assert (pixels(encoded(Image.new("LA", (50, 50), (90, 255)), "PNG")) == 90).all()


def test_palettes_are_interpolated_as_colours() -> None:
    image = photograph()
    for format in ("PNG", "GIF", "BMP", "TIFF"):
        data = encoded(image.quantize(256), format)
        assert far(pixels(data), pixels(encoded(image, "PNG"))) < 8, format


def test_transparent_palette_entries_are_white() -> None:
    image = Image.new("P", (50, 50), 3)
    image.putpalette([10, 20, 30] * 8)
    for format in ("PNG", "GIF"):
        assert (pixels(encoded(image, format, transparency=3)) == 255).all(), format


def test_transparent_colour_of_grey_and_rgb() -> None:
    assert (pixels(encoded(Image.new("L", (50, 50), 7), "PNG", transparency=7)) == 255).all()
    assert (pixels(encoded(Image.new("RGB", (50, 50), (1, 2, 3)), "PNG", transparency=(1, 2, 3))) == 255).all()


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_not_clipped(format: str) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64)
    found = pixels(encoded(Image.fromarray(ramp.astype(np.uint16)), format)).astype(int)
    wanted = pixels(encoded(Image.fromarray((ramp / 257).round().astype(np.uint8)), "PNG")).astype(int)
    assert np.abs(found - wanted).max() <= 1
    assert found.max() > 250
    assert len(np.unique(found)) > 30


def test_16_bit_rgb_png() -> None:
    rows = b"".join(b"\0" + struct.pack(">HHH", 65535, 32768, 0) * 40 for _ in range(40))
    found = pixels(png_of(40, 40, rows, depth=16, color=2))
    assert np.abs(found.astype(int) - [255, 128, 0]).max() <= 1


def test_one_bit() -> None:
    image = Image.new("1", (64, 64), 1)
    for format in ("PNG", "TIFF", "BMP"):
        assert (pixels(encoded(image, format)) == 255).all(), format


def test_32_bit_and_floating_point_are_refused_with_words() -> None:
    assert fault_of(encoded(Image.fromarray(np.full((9, 9), 70_000, dtype=np.int32)), "TIFF")) == "not_an_image"
    assert fault_of(encoded(Image.fromarray(np.full((9, 9), 0.5, dtype=np.float32)), "TIFF")) == "not_an_image"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_many_counts(format: str) -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "green", "blue")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])
    assert np.abs(pixels(data).astype(int) - [255, 0, 0]).max() <= 3


def test_mpo_shows_its_first_picture() -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    data = encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert np.abs(pixels(data).astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.parametrize("kind", ["jpeg", "jpeg, progressive", "png", "webp", "webp, lossless", "bmp", "tiff"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_truncated_files(kind: str, share: float) -> None:
    data = ORDINARY[kind](photograph())
    assert fault_of(data[: max(16, int(len(data) * share))]) == "truncated"


def test_truncated_gif() -> None:
    data = encoded(photograph().quantize(64), "GIF")
    assert fault_of(data[: len(data) // 2]) == "truncated"


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_a_picture_or_a_fault_and_nothing_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kind = list(ORDINARY)[seed % len(ORDINARY)]
    data = bytearray(ORDINARY[kind](photograph(64, 48)))
    for at in rng.integers(0, len(data), 20):
        data[at] = rng.integers(0, 256)
    try:
        found = pixels(bytes(data))
    except ImageError as error:
        assert error.fault in ("truncated", "not_an_image", "too_large")
    else:
        assert found.shape == (32, 32, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", bytes(1000), b"\x7fELF" + bytes(100)],
)
def test_not_an_image(data: bytes) -> None:
    assert fault_of(data) == "not_an_image"


def test_formats_outside_the_list_are_not_tried() -> None:
    for format in ("PPM", "TGA", "ICO", "EPS", "PCX"):
        assert fault_of(encoded(photograph(32, 32), format)) == "not_an_image", format


def test_more_pixels_than_the_limit_are_refused_before_decoding() -> None:
    bomb = png_of(60_000, 60_000, b"")
    assert fault_of(bomb) == "too_large"
    assert fault_of(png_of(101, 100, b""), ImageLimits(pixels=10_000)) == "too_large"


def test_a_limit_above_pillows_own_holds() -> None:
    data = encoded(Image.new("1", (9_500, 9_500), 1), "PNG")
    assert (pixels(data) == 255).all()


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "BMP", "JPEG"])
def test_pixel_limit_for_every_format(format: str) -> None:
    data = encoded(photograph(120, 100), format)
    assert fault_of(data, ImageLimits(pixels=11_999)) == "too_large"
    assert pixels(data, limits=ImageLimits(pixels=12_000)).shape == (32, 32, 3)


def test_a_strip_too_narrow_to_enlarge() -> None:
    strip = encoded(Image.new("L", (1, 60_000)), "PNG")
    assert fault_of(strip, preprocessing=Preprocessing(height=224, width=224)) == "too_large"


def test_a_compressed_text_bomb_in_a_png() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("x", "y" * (40 * 1024 * 1024), zip=True)
    assert fault_of(encoded(Image.new("L", (8, 8)), "PNG", pnginfo=info)) == "truncated"


def test_more_pixel_data_than_the_header_says() -> None:
    rows = zlib.compress(bytes(50 * 1024 * 1024))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))
    data += chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    try:
        assert pixels(data).shape == (32, 32, 3)
    except ImageError as error:
        assert error.fault == "truncated"


def test_a_tiff_whose_directory_points_at_itself() -> None:
    entries = struct.pack("<HHHII", 1, 256, 3, 1, 8) + struct.pack("<I", 8)
    assert fault_of(b"II*\0" + struct.pack("<I", 8) + entries) in ("truncated", "not_an_image")


def test_more_bytes_than_the_limit() -> None:
    assert fault_of(jpeg(), ImageLimits(bytes=1000)) == "too_large"


def test_pillows_own_settings_are_left_as_they_were() -> None:
    before = Image.MAX_IMAGE_PIXELS
    pixels(jpeg())
    assert before == Image.MAX_IMAGE_PIXELS


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, rows: bytes, *, depth: int = 8, color: int = 0) -> bytes:
    """A PNG put together by hand: `rows` with their filter bytes, not yet compressed."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body).getvalue()
