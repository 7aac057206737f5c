"""Methods image, caption, keyword and hybrid: right lists, right fusion, told in detail, each list by its own index."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest

from tests.db.shop import ROWS, Shop, search
from tests.pictures import jpeg


def ranks(scores: Mapping[int, float]) -> dict[int, int]:
    ordered = sorted(scores.values(), reverse=True)
    return {row: ordered.index(score) + 1 for row, score in scores.items()}


def top(scores: Mapping[int, float], n: int) -> list[int]:
    return sorted(scores, key=lambda row: -scores[row])[:n]


def keyword_scores(connection: psycopg.Connection, query: str) -> dict[int, float]:
    return {row: detail["keyword"]["score"] for row, _, detail in search(connection, query, k=ROWS, method="keyword")}


def expected(
    shop: Shop, keyword: Mapping[int, float], query: str, weights: Mapping[str, float], fusion: str, n: int
) -> dict[int, float]:
    """Fusion as the documentation tells it: candidates of all lists, each judged by every method."""
    scores = {m: shop.similarities(m, query) if m != "keyword" else dict(keyword) for m in weights}
    lists = {
        m: top(s, n) if m != "keyword" else sorted(s, key=lambda row: (-s[row], row))[:n] for m, s in scores.items()
    }
    candidates = set().union(*lists.values())
    total = dict.fromkeys(candidates, 0.0)
    for method, weight in weights.items():
        judged = {row: scores[method][row] for row in candidates if row in scores[method]}
        place, low, high = ranks(judged), min(judged.values()), max(judged.values())
        for row, score in judged.items():
            if fusion == "rrf":
                total[row] += weight / (60 + place[row])
            elif method == "keyword":
                total[row] += weight * score / high / sum(weights.values())
            else:
                total[row] += weight * (score - low) / (high - low) / sum(weights.values())
    return total


@pytest.mark.parametrize("fusion", ["rrf", "score"])
def test_hybrid_is_what_the_documentation_says(connection: psycopg.Connection, shop: Shop, fusion: str) -> None:
    query = "파란 부츠 7호"
    keyword = keyword_scores(connection, query)
    for weights in ({"image": 1, "caption": 1, "keyword": 1}, {"image": 0.5, "keyword": 2}, {"caption": 1, "image": 3}):
        want = expected(shop, keyword, query, weights, fusion, 120)
        got = search(
            connection, query, k=40, method="hybrid", fusion=fusion, weights=weights, candidates=120, exact=True
        )
        assert [detail["score"] for _, _, detail in got] == pytest.approx(
            sorted(want.values(), reverse=True)[:40], rel=1e-4
        )
        assert [detail["score"] for _, _, detail in got] == pytest.approx([want[row] for row, _, _ in got], rel=1e-4)


def test_detail_says_what_found_a_row(connection: psycopg.Connection, shop: Shop) -> None:
    query = "흰색 모자"
    image, caption = shop.similarities("image", query), shop.similarities("caption", query)
    rows = search(connection, query, k=100, method="hybrid")
    assert len(rows) == 100
    for row, similarity, detail in rows:
        assert detail["method"] == "hybrid" and detail["fusion"] == "rrf" and detail["captions"] == ["note_vector"]
        assert detail["model"] == "fake" and detail["column"] == "fake_base" and "without" not in detail
        assert detail["caption"]["similarity"] == pytest.approx(caption[row], abs=1e-5)
        if row in shop.without_image:
            assert similarity is None and "image" not in detail
        else:
            assert similarity == detail["image"]["similarity"] == pytest.approx(image[row], abs=1e-5)
        assert ("keyword" in detail) == bool({*"흰색모자"} & {*shop.names[row]})
    assert any(row in shop.without_image for row, _, _ in rows)  # found by its words alone, or its caption


def test_one_method(connection: psycopg.Connection, shop: Shop) -> None:
    caption = shop.similarities("caption", "x")
    rows = search(connection, "x", k=7, method="caption")
    assert [row for row, _, _ in rows] == top(caption, 7)
    assert [similarity for _, similarity, _ in rows] == pytest.approx(
        [caption[row] for row in top(caption, 7)], abs=1e-5
    )
    plain = search(connection, "x", k=7)
    assert search(connection, "x", k=7, method="image") == plain
    assert set(plain[0][2]) == {"model", "column"}
    rows = search(connection, "빨간 가방", k=5, method="keyword")
    assert all(shop.names[row].startswith("빨간 가방") for row, _, _ in rows)


def test_plain_search_is_the_statement_that_it_was(connection: psycopg.Connection, shop: Shop) -> None:
    row = connection.execute("SELECT search_sql('x', 'fake', 3)").fetchone()
    items = "jsonb_build_object('id', photo.id) AS key, photo.image_path::text AS image"
    distance = "photo.fake_base <=> (SELECT vector FROM query)"
    assert row == (
        f"""\
WITH query AS MATERIALIZED (
  SELECT thanopg.embed_text('x', 'fake')::vector(16) AS vector
), near AS MATERIALIZED (
  SELECT {items}, ({distance}) + 0 AS distance
  FROM photo
  WHERE photo.fake_base IS NOT NULL
  ORDER BY {distance}
  LIMIT 3
), every AS (  -- an index scan may end too early: then once more, without it
  SELECT {items}, ({distance}) + 0 AS distance
  FROM photo
  WHERE photo.fake_base IS NOT NULL
    AND (SELECT count(*) FROM near) < 3
  ORDER BY distance
  LIMIT 3
)
SELECT * FROM near WHERE (SELECT count(*) FROM near) >= 3
UNION ALL
SELECT * FROM every
ORDER BY distance""",
    )


def test_few_rows_that_fit_are_all_read(connection: psycopg.Connection, shop: Shop) -> None:
    row = connection.execute("SELECT search_sql('x', 'fake', 3, filter => 'kind = 1')").fetchone()
    items = "jsonb_build_object('id', photo.id) AS key, photo.image_path::text AS image"
    assert row == (
        f"""\
WITH query AS MATERIALIZED (
  SELECT thanopg.embed_text('x', 'fake')::vector(16) AS vector
)
SELECT * FROM (
  SELECT {items}, (photo.fake_base <=> (SELECT vector FROM query)) + 0 AS distance
  FROM photo
  WHERE photo.fake_base IS NOT NULL
    AND (kind = 1
    )
  ORDER BY distance
  LIMIT 3
) found
ORDER BY distance""",
    )
    hybrid = connection.execute(
        "SELECT search_sql('x', 'fake', 3, filter => 'kind = 1', options => '{\"method\": \"hybrid\"}')"
    ).fetchone()
    assert hybrid is not None and "image_every" in hybrid[0] and "_near AS" not in hybrid[0].replace("keyword_near", "")


def test_every_list_has_its_own_index(connection: psycopg.Connection, shop: Shop) -> None:
    (statement,) = connection.execute(  # type: ignore[misc]
        "SELECT search_sql('흰색 모자', 'fake', 5, options => '{\"method\": \"hybrid\"}')"
    ).fetchone()
    assert statement.count("embed_text") == 1, "two columns of one model, one call"
    plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + statement).fetchall())
    assert "Index Scan using photo_embedding_1" in plan
    assert "Index Scan using photo_embedding_2" in plan
    assert "Bitmap Index Scan on photo_keyword_terms_idx" in plan
    rows = connection.execute(statement).fetchall()
    assert [key["id"] for _, key, *_ in rows] == [
        row for row, _, _ in search(connection, "흰색 모자", k=5, method="hybrid")
    ]
    assert [rank for rank, *_ in rows] == [1, 2, 3, 4, 5]


def test_a_filter_never_leaves_too_few(connection: psycopg.Connection, shop: Shop) -> None:
    for method in ("caption", "hybrid"):
        rows = search(connection, "x", k=12, filter="id % 25 = 3 -- twelve of them", method=method)
        assert sorted(row for row, _, _ in rows) == list(range(3, ROWS, 25))
    few = search(connection, "빨간", k=5, filter="id IN (10, 21)", method="hybrid", exact=True)
    assert {row for row, _, _ in few} == {10, 21}


def test_hybrid_uses_what_is_there(connection: psycopg.Connection, shop: Shop) -> None:
    connection.execute("SELECT drop_keyword_index('photo')")
    detail = search(connection, "흰색 모자", k=1, method="hybrid")[0][2]
    assert detail["without"] == {"keyword": "no keyword index"}
    connection.execute("SELECT drop_embedding('photo', 'note_vector')")
    row, similarity, detail = search(connection, "흰색 모자", k=1, method="hybrid")[0]
    assert set(detail["without"]) == {"keyword", "caption"}
    assert (row, similarity) == search(connection, "흰색 모자", k=1)[0][:2]
    for method, hint in (("keyword", "add_keyword_index"), ("caption", "add_text_embedding")):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState) as caught:
            search(connection, "x", method=method)
        assert hint in (caught.value.diag.message_hint or "")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no method can be used"):
        search(connection, "x", method="hybrid", weights={"keyword": 1})


def test_a_picture_has_no_words(connection: psycopg.Connection, shop: Shop) -> None:
    statement = "SELECT detail FROM search_image(%s::bytea, 'fake', 1, options => %s)"
    (detail,) = connection.execute(statement, (jpeg(), '{"method": "hybrid"}')).fetchone()  # type: ignore[misc]
    assert detail["without"] == {"keyword": "no text in the query"} and "caption" in detail and "image" in detail
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no text in the query"):
        connection.execute(statement, (jpeg(), '{"method": "keyword"}'))
