"""Pictures from object stores: fsspec's own memory file system stands in for the driver, under the scheme's name."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from thanopg.config import ImageLimits, RemoteSettings
from thanopg.errors import ImageError
from thanopg.images.remote.reader import RemoteReader
from thanopg.images.source import ImageReader

PICTURE = b"bytes that need not be a picture"


class Store(MemoryFileSystem):  # type: ignore[misc]  # untyped
    """Like s3fs, but in memory."""

    protocol = ("s3",)
    store: dict[str, Any] = {}  # noqa: RUF012 - as fsspec declares it
    pseudo_dirs = [""]  # noqa: RUF012
    cachable = False

    etags: dict[str, str] = {}  # noqa: RUF012

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().info(path, **kwargs)
        return {**found, "ETag": self.etags[path]} if path in self.etags else found

    opened: list[str] = []  # noqa: RUF012

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        self.opened.append(path)
        if path.endswith("secret.jpg") and mode == "rb":
            raise PermissionError("Access Denied for AKIA123")
        if path.endswith("broken.jpg") and mode == "rb":
            raise RuntimeError("connection to 10.0.0.1 lost")
        return super()._open(path, mode, **kwargs)


@pytest.fixture
def store() -> Iterator[Store]:
    fsspec.register_implementation("s3", Store, clobber=True)
    files = Store()
    for name in ("a.jpg", "여름/원피스.jpg", "secret.jpg", "broken.jpg"):
        files.pipe(f"shop/pictures/{name}", PICTURE)
    files.pipe("shop/pictures/large.jpg", bytes(2000))
    files.pipe("private/a.jpg", PICTURE)
    yield files
    Store.store.clear()
    Store.etags.clear()


@pytest.fixture
def reader(tmp_path: Path) -> ImageReader:
    settings = RemoteSettings(buckets=("s3://shop/pictures", "gs://shop", "az://shop"))
    limits = ImageLimits(bytes=1000)
    return ImageReader(tmp_path, limits, remote=RemoteReader(settings, limits))


@pytest.mark.parametrize("name", ["a.jpg", "여름/원피스.jpg"])
def test_an_object_with_its_time(reader: ImageReader, store: Store, name: str) -> None:
    image = reader.read(f"s3://shop/pictures/{name}")
    assert image.data == PICTURE
    assert isinstance(image.modified, datetime) and image.modified.tzinfo is not None


@pytest.mark.parametrize("etag", ['"5d41402a"', "5d41402a"])
def test_an_object_known_by_its_etag_is_not_opened(reader: ImageReader, store: Store, etag: str) -> None:
    path = "s3://shop/pictures/a.jpg"
    store.etags["shop/pictures/a.jpg"] = etag
    assert reader.read(path).etag == '"5d41402a"'
    store.opened.clear()
    assert reader.read_changed(path, '"5d41402a"') is None
    assert store.opened == []
    changed = reader.read_changed(path, '"older"')
    assert changed is not None and changed.data == PICTURE and changed.etag == '"5d41402a"'


@pytest.mark.parametrize(
    ("url", "fault", "said"),
    [
        ("s3://shop/pictures/none.jpg", "not_found", "no such object in s3://shop"),
        ("s3://shop/pictures/large.jpg", "too_large", "not 2000"),
        ("s3://shop/pictures/여름", "forbidden", "not a directory"),
        ("s3://private/a.jpg", "forbidden", "not among the buckets"),
        ("s3://shop/pictures-of-others/a.jpg", "forbidden", "not among the buckets"),
        ("s3://shop/pictures/../../private/a.jpg", "unsupported", "neither . nor .."),
        ("s3://shop/pictures/secret.jpg", "unreachable", "no permission"),
        ("s3://shop/pictures/broken.jpg", "unreachable", "RuntimeError"),
    ],
)
def test_faults(reader: ImageReader, store: Store, url: str, fault: str, said: str) -> None:
    with pytest.raises(ImageError) as caught:
        reader.read(url)
    assert (caught.value.fault, said in caught.value.message) == (fault, True)
    assert "AKIA" not in caught.value.message and "10.0.0.1" not in caught.value.message


@pytest.mark.parametrize(("url", "driver"), [("gs://shop/a.jpg", "gcsfs"), ("az://shop/a.jpg", "adlfs")])
def test_a_missing_driver_is_named_and_takes_no_vector_away(reader: ImageReader, url: str, driver: str) -> None:
    if importlib.util.find_spec(driver):
        pytest.skip(f"{driver} is installed")
    with pytest.raises(ImageError) as caught:
        reader.read(url)
    assert not caught.value.permanent
    assert driver in caught.value.message and "thanopg[object-store]" in caught.value.message
