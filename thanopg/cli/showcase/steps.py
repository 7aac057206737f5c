"""The shopping example's five steps: captions, their vectors, the query's vector, similarity, the products found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thanopg.catalog.queries import EXAMPLES, ExampleQuery
from thanopg.cli.screen import Screen
from thanopg.cli.showcase.filling import fill
from thanopg.cli.showcase.shop import Found, Shop, quoted
from thanopg.gallery.page import Hit, Search, render_page
from thanopg.gallery.thumbnail import thumbnail

PAGE = "shop.html"
STEPS = (
    "1 · 캡션 추출  (captions)",
    "2 · 캡션 임베딩  (their vectors)",
    "3 · 검색어 임베딩  (the query's vector)",
    "4 · 유사도 계산  (similarity)",
    "5 · 관련 상품 이미지 반환  (products found, by pictures, captions and words together)",
)
CAPTION = "SELECT add_caption('product', 'image_path', 'catalog', 'caption_{language}', language => '{language}')"
SHOW_CAPTIONS = "SELECT id, image_path, caption_ko, caption_en FROM product ORDER BY id LIMIT 3"
EMBED = "SELECT add_text_embedding('product', 'caption_{language}', 'catalog', 'caption_{language}_vector')"
KEYWORDS = "SELECT add_keyword_index('product', ARRAY['name', 'description'])"
QUERY = "베이지색 단추 셔츠"
SHOW_VECTOR = "SELECT left(embed_text('{query}', 'catalog')::text, 66) || ' …' AS vector"
SIMILAR = """\
SELECT id, caption_ko,
       round((1 - (caption_ko_vector <=> (SELECT embed_text('{query}', 'catalog'))))::numeric, 3) AS similarity
FROM product
ORDER BY caption_ko_vector <=> (SELECT embed_text('{query}', 'catalog'))
LIMIT 3"""
SEARCH = """\
SELECT s.rank, p.name, s.detail->'image'->'rank' AS picture, s.detail->'caption'->'rank' AS caption,
       s.detail->'keyword'->'rank' AS words, s.image
FROM search_image('{query}', '{model}', 5, options => '{{"method": "hybrid", "fusion": "score"}}') s
JOIN product p ON p.id = (s.key->>'id')::bigint
ORDER BY s.rank"""
ASKED = tuple(example for example in EXAMPLES if example.language == "ko")
TITLE = "쇼핑 검색 · a shop's search"
INTRODUCTION = (
    "상품 그림마다 캡션을 쓰고, 캡션과 그림을 벡터로 바꾸고, 이름과 설명의 낱말까지 함께 찾습니다. "
    "검색 하나가 SQL 문 하나입니다.\n"
    "Each product's picture has a caption; picture, caption, and the words of name and description are searched "
    "together. Each search is one SQL statement."
)
FOOTER = "The model “{model}” was trained on drawn products only, and knows nothing else."


def show_steps(screen: Screen, shop: Shop, home: Path, image_root: Path) -> Path:
    """The pictures have their vectors already. Returns the page. Raises ModelUnavailable, psycopg.Error."""
    screen.heading(f"\n{STEPS[0]}")
    fill(screen, shop, "writing captions in Korean and in English", *of_languages(CAPTION))
    show(screen, shop, SHOW_CAPTIONS)
    screen.heading(f"\n{STEPS[1]}")
    fill(screen, shop, "embedding the captions", *of_languages(EMBED))
    screen.heading(f"\n{KEYWORDS};")
    shop.run(KEYWORDS)
    shop.run("ANALYZE product")
    screen.heading(f"\n{STEPS[2]}")
    show(screen, shop, SHOW_VECTOR.format(query=quoted(QUERY)))
    screen.heading(f"\n{STEPS[3]}")
    show(screen, shop, SIMILAR.format(query=quoted(QUERY)))
    screen.heading(f"\n{STEPS[4]}")
    found = [(example, search(screen, shop, example)) for example in ASKED]
    return write_page(home / PAGE, image_root, shop.model, found)


def of_languages(statement: str) -> list[str]:
    return [statement.format(language=language) for language in ("ko", "en")]


def search(screen: Screen, shop: Shop, example: ExampleQuery) -> Found:
    return show(screen, shop, SEARCH.format(query=quoted(example.text), model=quoted(shop.model)))


def show(screen: Screen, shop: Shop, statement: str) -> Found:
    found = shop.ask(statement)
    screen.data("")
    screen.statement(found.statement)
    screen.table(found.names, found.rows)
    return found


def write_page(page: Path, root: Path, model: str, found: Sequence[tuple[ExampleQuery, Found]]) -> Path:
    searches = [
        Search(
            query=example.text,
            language=example.language,
            statement=result.statement,
            hits=[
                Hit(name=name, similarity=None, picture=thumbnail(root / image), path=image)
                for _, name, _, _, _, image in result.rows
            ],
            milliseconds=result.milliseconds,
        )
        for example, result in found
    ]
    html = render_page(title=TITLE, introduction=INTRODUCTION, searches=searches, footer=FOOTER.format(model=model))
    page.write_text(html, encoding="utf-8")
    return page
