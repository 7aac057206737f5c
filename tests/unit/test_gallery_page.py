"""The page shows what it is given, escaped, and needs nothing else."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

from PIL import Image

from thanopg.gallery.page import Hit, Search, render_page
from thanopg.gallery.thumbnail import thumbnail


def page(**changed: str) -> str:
    hit = Hit(
        name=changed.get("name", "흰색 운동화"), similarity=0.81249, picture="data:image/jpeg;base64,AA", path="1.jpg"
    )
    search = Search(
        query=changed.get("query", "운동화"), language="ko", statement="SELECT 1;", hits=[hit], milliseconds=3.4
    )
    return render_page(title="t", introduction="i", searches=[search], footer="f")


def test_what_is_shown() -> None:
    html = page()
    assert "흰색 운동화" in html and "0.812" in html and "SELECT 1;" in html
    assert 'lang="ko">운동화</h2>' in html


def test_everything_is_escaped() -> None:
    html = page(name='"><script>alert(1)</script>', query="<b>&")
    assert "<script" not in html and "<b>&" not in html
    assert "&lt;b&gt;&amp;" in html


def test_nothing_from_outside() -> None:
    assert not re.search(r'(src|href)="(?!data:|#)|url\(|@import', page())
    assert "default-src 'none'" in page()


def test_thumbnail_is_small_and_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("CMYK", (800, 400)).save(tmp_path / "1.jpg", exif=exif)
    uri = thumbnail(tmp_path / "1.jpg", 100)
    with Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,")))) as image:
        assert (image.size, image.mode) == ((50, 100), "RGB")
