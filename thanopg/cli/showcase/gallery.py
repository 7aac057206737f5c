"""The demo's page: every search with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thanopg.catalog.queries import ExampleQuery
from thanopg.cli.showcase.shop import Found, Shop
from thanopg.gallery.page import Hit, Search, render_page
from thanopg.gallery.thumbnail import thumbnail

TITLE = "이미지 시맨틱 검색 · pictures found by text"
INTRODUCTION = (
    "평범한 테이블에 담긴 상품 그림을, 그림에 보이는 것을 말로 적어 찾습니다. 검색 하나가 SQL 문 하나이고, "
    "PostgreSQL이 글과 그림의 거리에 따라 순위를 매깁니다.\n"
    "Drawn product pictures in an ordinary table, found by what they show. Each search is one SQL statement; "
    "PostgreSQL ranks the pictures by their distance to the words."
)
FOOTER = (
    "The model “{model}” was trained on drawn products only, and knows nothing else.\n"
    "The number is the cosine similarity of words and picture; higher is nearer."
)


def write_gallery(page: Path, root: Path, shop: Shop, found: Sequence[tuple[ExampleQuery, Found]]) -> Path:
    searches = [
        Search(
            query=example.text,
            language=example.language,
            statement=result.statement,
            hits=[
                Hit(name=name, similarity=float(similarity), picture=thumbnail(root / image), path=image)
                for _, similarity, name, image in result.rows
            ],
            milliseconds=result.milliseconds,
        )
        for example, result in found
    ]
    html = render_page(
        title=TITLE, introduction=INTRODUCTION, searches=searches, footer=FOOTER.format(model=shop.model)
    )
    page.write_text(html, encoding="utf-8")
    return page
