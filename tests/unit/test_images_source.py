"""What may be read, and what is said of what may not."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from thanopg.config import ImageLimits
from thanopg.errors import ImageError, ImageRootUnavailable
from thanopg.images.source import ImageReader

CONTENT = b"some bytes that need not be a picture"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "sub" / "a.jpg").write_bytes(CONTENT)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"secret")
    return root


@pytest.fixture
def reader(root: Path) -> ImageReader:
    return ImageReader(root, ImageLimits(bytes=1000))


def fault_of(reader: ImageReader, source: str | bytes) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        reader.read(source)
    return caught.value.fault, caught.value.message


def test_a_path_gives_bytes_digest_size_and_time(reader: ImageReader, root: Path) -> None:
    os.utime(root / "sub" / "a.jpg", ns=(0, 1_700_000_000_123_456_789))
    image = reader.read("sub/a.jpg")
    assert (image.data, image.size, image.digest) == (CONTENT, len(CONTENT), hashlib.sha256(CONTENT).digest())
    assert image.modified == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


@pytest.mark.parametrize("spelling", ["sub/a.jpg", "./sub/a.jpg", "sub//a.jpg", "sub/../sub/a.jpg", "{root}/sub/a.jpg"])
def test_spellings_of_a_path(reader: ImageReader, root: Path, spelling: str) -> None:
    assert reader.read(spelling.format(root=root)).data == CONTENT


def test_bytes_are_the_picture(reader: ImageReader) -> None:
    image = reader.read(CONTENT)
    assert (image.data, image.modified) == (CONTENT, None)


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_hangul_names_are_found_in_either_form(reader: ImageReader, root: Path, stored: str, asked: str) -> None:
    name = "여름/빨간 원피스.jpg"
    path = root / unicodedata.normalize(stored, name)  # type: ignore[arg-type]  # the form's name is one of four
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert reader.read(unicodedata.normalize(asked, name)).data == CONTENT  # type: ignore[arg-type]  # the same


def test_hangul_names_of_mixed_forms_are_found(reader: ImageReader, root: Path) -> None:
    path = root / unicodedata.normalize("NFD", "여름") / unicodedata.normalize("NFC", "원피스.jpg")
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert reader.read("여름/원피스.jpg").data == CONTENT


def test_percent_signs_are_not_decoded(reader: ImageReader, root: Path) -> None:
    (root / "50%20off.jpg").write_bytes(CONTENT)
    assert reader.read("50%20off.jpg").data == CONTENT
    assert fault_of(reader, "sub%2Fa.jpg")[0] == "missing"


@pytest.mark.parametrize("name", ["nothing.jpg", "sub/nothing.jpg", "sub/a.jpg/b.jpg", "x" * 300 + ".jpg"])
def test_missing(reader: ImageReader, name: str) -> None:
    assert fault_of(reader, name) == ("missing", "no such file")


@pytest.mark.parametrize(
    "path",
    [
        *("../outside/secret.jpg", "../outside/nothing.jpg", "sub/../../outside", "..", "../root-but-longer/a.jpg"),
        *("/etc/passwd", "/no/such/place", "/dev/zero", "/dev/null", "/proc/self/environ"),
    ],
)
def test_outside_is_outside_whether_or_not_something_is_there(reader: ImageReader, path: str) -> None:
    assert fault_of(reader, path) == ("forbidden", "the path leads outside the image root")


@pytest.mark.parametrize("target", ["../outside/secret.jpg", "../outside/nothing.jpg", "/etc/passwd", "/dev/zero"])
def test_links_out_are_outside(reader: ImageReader, root: Path, target: str) -> None:
    (root / "link.jpg").symlink_to(target)
    assert fault_of(reader, "link.jpg") == ("forbidden", "the path leads outside the image root")


def test_a_directory_link_out_is_outside(reader: ImageReader, root: Path) -> None:
    (root / "link").symlink_to("../outside")
    assert fault_of(reader, "link/secret.jpg")[0] == "forbidden"


def test_links_within_are_followed(reader: ImageReader, root: Path) -> None:
    (root / "link").symlink_to("sub")
    (root / "sub" / "b.jpg").symlink_to("a.jpg")
    assert reader.read("link/b.jpg").data == CONTENT


def test_the_root_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(root)
    reader = ImageReader(tmp_path / "alias", ImageLimits())
    assert reader.read("sub/a.jpg").data == CONTENT
    assert reader.read(str(tmp_path / "alias" / "sub" / "a.jpg")).data == CONTENT


def test_a_circle_of_links(reader: ImageReader, root: Path) -> None:
    (root / "one").symlink_to("two")
    (root / "two").symlink_to("one")
    assert fault_of(reader, "one")[0] == "forbidden"


def test_what_is_not_a_regular_file(reader: ImageReader, root: Path) -> None:
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        where = os.open(root, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{where}/socket")
        os.close(where)
        for name in ("fifo", "sub", ".", "", "socket"):
            assert fault_of(reader, name)[0] in ("forbidden", "unsupported"), name
    assert fault_of(reader, "fifo")[1].startswith("expected a regular file")


def test_no_permission(reader: ImageReader, root: Path) -> None:
    (root / "sub" / "a.jpg").chmod(0)
    if os.access(root / "sub" / "a.jpg", os.R_OK):  # root reads everything
        assert reader.read("sub/a.jpg").data == CONTENT
    else:
        assert fault_of(reader, "sub/a.jpg") == ("forbidden", "no permission to read the file")


def test_more_bytes_than_the_limit(reader: ImageReader, root: Path) -> None:
    (root / "big.jpg").write_bytes(b"x" * 1001)
    (root / "fits.jpg").write_bytes(b"x" * 1000)
    for source in ("big.jpg", b"x" * 1001, "data:," + "x" * 1001, "data:;base64," + "eHh4" * 334):
        assert fault_of(reader, source)[0] == "too_large"
    assert reader.read("fits.jpg").size == 1000


@pytest.mark.parametrize(
    "url", ["http://example.org/a.jpg", "https://h/a", "file:///etc/passwd", "s3://b/k", "HTTP://H"]
)
def test_urls_are_not_supported(reader: ImageReader, url: str) -> None:
    assert fault_of(reader, url)[0] == "unsupported"


@pytest.mark.parametrize("source", ["", "a\0b", "data:image/png;base64", "data:;base64,=x=!", "\ud800"])
def test_broken_texts(reader: ImageReader, source: str) -> None:
    assert fault_of(reader, source)[0] in ("unsupported", "missing")


@pytest.mark.parametrize(
    "uri",
    [
        "data:image/jpeg;base64," + base64.b64encode(CONTENT).decode(),
        "DATA:image/jpeg;charset=x;BASE64," + base64.b64encode(CONTENT).decode(),
        "data:;base64," + base64.b64encode(CONTENT).decode().rstrip("="),
        "data:;base64," + quote(base64.b64encode(CONTENT).decode(), safe=""),
        "data:;base64,\n" + "\n".join(base64.b64encode(CONTENT).decode()),
        "data:;base64," + base64.urlsafe_b64encode(CONTENT).decode(),
        "data:," + quote(CONTENT),
        "data:image/jpeg," + quote(CONTENT, safe=""),
    ],
)
def test_data_uris(reader: ImageReader, uri: str) -> None:
    assert reader.read(uri).data == CONTENT


def test_a_root_that_is_gone_is_not_the_images_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for root in (tmp_path / "nothing", tmp_path / "file"):
        with pytest.raises(ImageRootUnavailable, match="image root"):
            ImageReader(root, ImageLimits()).read("a.jpg")
