"""Methods image, caption, keyword and hybrid: right lists, right fusion, told in detail, each list by its own index."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector

from tests.pictures import jpeg
from tests.running_service import RunningService
from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 16
ROWS = 300
COLOURS = ("빨간", "파란", "흰색")
GOODS = ("원피스", "부츠", "모자", "가방")


class Shop:
    """Table photo in numpy: image and caption vectors, names, and what each method thinks of a query."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        made = rng.standard_normal((2, ROWS, DIMENSIONS)).astype(np.float32)
        self.image, self.caption = made / np.linalg.norm(made, axis=2, keepdims=True)
        self.names = [f"{COLOURS[i % 3]} {GOODS[i % 4]} {i}호" for i in range(ROWS)]
        self.without_image = {i for i in range(ROWS) if i % 10 == 0}

    def similarities(self, method: str, query: str) -> dict[int, float]:
        vector = FakeEmbedder(DIMENSIONS).embed_texts([query]).vectors[0]
        matrix = self.image if method == "image" else self.caption
        left_out = self.without_image if method == "image" else set()
        return {i: float(matrix[i] @ vector) for i in range(ROWS) if i not in left_out}


@pytest.fixture
def shop(connection: psycopg.Connection, service: RunningService) -> Shop:
    shop = Shop()
    connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text, name text, kind int)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("SELECT add_text_embedding('photo', 'note', 'fake', 'note_vector')")
    register_vector(connection)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO photo VALUES (%s, %s, 'x', %s, %s, %s, %s)",
            [
                (i, f"{i}.jpg", shop.names[i], i % 2, None if i in shop.without_image else Vector(shop.image[i]),
                 Vector(shop.caption[i]))
                for i in range(ROWS)
            ],
        )  # fmt: skip
    connection.execute("SELECT add_keyword_index('photo', ARRAY['name'])")
    connection.execute("ANALYZE photo")
    return shop


def search(
    connection: psycopg.Connection, query: str, *, k: int = 10, filter: str | None = None, **options: Any
) -> list[tuple[int, float | None, dict[str, Any]]]:
    rows = connection.execute(
        "SELECT key, similarity, detail FROM search_image(%s, 'fake', %s, filter => %s, options => %s)",
        (query, k, filter, json.dumps(options)),
    ).fetchall()
    return [(key["id"], similarity, detail) for key, similarity, detail in rows]


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
    row = connection.execute("SELECT search_sql('x', 'fake', 3, filter => 'kind = 1')").fetchone()
    items = "jsonb_build_object('id', photo.id) AS key, photo.image_path::text AS image"
    assert row == (
        f"""\
WITH query AS MATERIALIZED (
  SELECT thanopg.embed_text('x', 'fake')::vector(16) AS vector
), near AS MATERIALIZED (
  SELECT {items}, photo.fake_base <=> (SELECT vector FROM query) AS distance
  FROM photo
  WHERE photo.fake_base IS NOT NULL
    AND (kind = 1
    )
  ORDER BY distance
  LIMIT 3
), every AS (  -- an index scan may end too early: then once more, without it
  SELECT {items}, (photo.fake_base <=> (SELECT vector FROM query)) + 0 AS distance
  FROM photo
  WHERE photo.fake_base IS NOT NULL
    AND (kind = 1
    )
    AND (SELECT count(*) FROM near) < 3
  ORDER BY distance
  LIMIT 3
)
SELECT * FROM near WHERE (SELECT count(*) FROM near) >= 3
UNION ALL
SELECT * FROM every
ORDER BY distance""",
    )


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


def test_several_caption_columns_count_by_the_nearest(connection: psycopg.Connection, shop: Shop) -> None:
    connection.execute("SELECT add_text_embedding('photo', 'name', 'fake', 'name_vector')")
    connection.execute("UPDATE photo SET name_vector = fake_base")
    caption = shop.similarities("caption", "x")
    both = {row: max(similarity, shop.similarities("image", "x").get(row, -1)) for row, similarity in caption.items()}
    assert [row for row, _, _ in search(connection, "x", k=9, method="caption", exact=True)] == top(both, 9)
    one = search(connection, "x", k=9, method="caption", caption_column="note_vector", exact=True)
    assert [row for row, _, _ in one] == top(caption, 9) and one[0][2]["captions"] == ["note_vector"]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="named nope"):
        search(connection, "x", method="caption", caption_column="nope")


def test_captions_of_another_model(connection: psycopg.Connection, shop: Shop) -> None:
    connection.execute("SELECT create_model('words', source => 'fake:4', base => 'words')")
    connection.execute("SELECT add_text_embedding('photo', 'name', 'words', 'w', type => 'halfvec')")
    connection.execute("UPDATE photo SET w = '[1,0,0,0]' WHERE id = 5; UPDATE photo SET w = '[-1,0,0,0]' WHERE id <> 5")
    row, similarity, _ = search(connection, "x", k=1, method="caption", caption_column="w")[0]
    vector = FakeEmbedder(4).embed_texts(["x"]).vectors[0]
    assert (row == 5) == bool(vector[0] > 0) and similarity == pytest.approx(abs(vector[0]), abs=1e-3)
    assert search(connection, "x", k=1, method="hybrid")[0][2]["captions"] == ["note_vector"]  # its own model's first


def test_a_table_of_texts_alone(connection: psycopg.Connection, shop: Shop) -> None:
    connection.execute("SELECT drop_embedding('photo', 'fake_base')")
    caption = shop.similarities("caption", "x")
    rows = connection.execute("SELECT (item).id, similarity FROM search_rows(NULL::photo, 'x', 'fake', 4)").fetchall()
    assert [row for row, _ in rows] == top(caption, 4)
    found = connection.execute("SELECT image FROM search_image('x', 'fake', 1)").fetchone()
    assert found == (None,)


def test_row_level_security_holds(connection: psycopg.Connection, shop: Shop) -> None:
    connection.execute("ALTER TABLE photo ENABLE ROW LEVEL SECURITY; ALTER TABLE photo FORCE ROW LEVEL SECURITY")
    connection.execute("CREATE POLICY odd ON photo USING (kind = 1)")
    rows = search(connection, "흰색 모자", k=ROWS, method="hybrid")
    assert {row for row, _, _ in rows} == set(range(1, ROWS, 2))


def test_search_rows_tells_the_same(connection: psycopg.Connection, shop: Shop) -> None:
    rows = connection.execute(
        "SELECT (item).id, similarity, detail FROM search_rows(NULL::photo, '흰색 모자', 'fake', 6, options => %s)",
        ('{"method": "hybrid", "fusion": "score"}',),
    ).fetchall()
    assert rows == search(connection, "흰색 모자", k=6, method="hybrid", fusion="score")


def test_tables_called_as_our_own_names(connection: psycopg.Connection, shop: Shop) -> None:
    plain, hybrid = search(connection, "흰색 모자", k=3), search(connection, "흰색 모자", k=3, method="hybrid")
    for name in ("query", "image_near", "term_weight"):
        connection.execute(f"ALTER TABLE photo RENAME TO {name}")
        assert search(connection, "흰색 모자", k=3) == plain
        assert search(connection, "흰색 모자", k=3, method="hybrid") == hybrid
        connection.execute(f"ALTER TABLE {name} RENAME TO photo")


REFUSED: Sequence[tuple[dict[str, Any], str]] = [
    ({"method": "photo"}, "method"),
    ({"method": None}, "method"),
    ({"method": 1}, "method"),
    ({"fusion": "sum"}, "fusion"),
    ({"candidates": 0}, "candidates"),
    ({"candidates": "many"}, "candidates"),
    ({"weights": {"image": 1, "colour": 2}}, "weights"),
    ({"weights": {"image": -1}}, "weights"),
    ({"weights": {"image": 0}}, "weights"),
    ({"weights": [1, 2]}, "weights"),
    ({"caption_column": 3}, "caption_column"),
    ({"exact": "yes"}, "exact"),
    ({"ef_search": 0}, "ef_search"),
    ({"min_probability": 2}, "min_probability"),
    ({"template": "a photo"}, "template"),
    ({"template": []}, "template"),
    ({"plus": "red"}, "plus"),
    ({"plus": []}, "plus"),
    ({"plus": [" "]}, "plus"),
    ({"plus": [{"text": "x", "image": "y"}]}, "plus"),
    ({"plus": [{"text": "x", "weight": "much"}]}, "plus"),
    ({"minus": [{"weight": 1}]}, "minus"),
    ({"minus": [{"text": "x", "colour": 1}]}, "minus"),
    ({"like": ["a"]}, "like"),
    ({"unlike": [{}]}, "unlike"),
    ({"unlike": [{"key": {"id": 1}, "weight": -1}]}, "unlike"),
    ({"nope": 1}, "nope"),
]


def test_options_that_mean_nothing(connection: psycopg.Connection, shop: Shop) -> None:
    for options, named in REFUSED:
        with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
            search(connection, "x", **options)
        assert named in str(caught.value.diag.message_primary), options
        assert caught.value.diag.message_hint and "%" not in caught.value.diag.message_hint, options


def test_a_partitioned_table_with_a_key_of_two_columns(connection: psycopg.Connection, service: RunningService) -> None:
    connection.execute("SELECT create_model('fake', source => 'fake:4', base => 'base')")
    connection.execute("""
        CREATE TABLE item (shop text, id int, image_path text, name text, PRIMARY KEY (shop, id))
        PARTITION BY LIST (shop);
        CREATE TABLE item_a PARTITION OF item FOR VALUES IN ('가');
        CREATE TABLE item_b PARTITION OF item FOR VALUES IN ('나');
    """)
    connection.execute("SELECT add_image_embedding('item', 'image_path', 'fake')")
    connection.execute("SELECT add_keyword_index('item', ARRAY['name'])")
    connection.execute(
        "INSERT INTO item SELECT s, i, i || '.jpg', (ARRAY['빨간', '파란'])[i % 2 + 1] || ' 모자', '[1,0,0,0]' "
        "FROM unnest(ARRAY['가', '나']) s, generate_series(1, 20) i"
    )
    rows = connection.execute(
        "SELECT key, detail FROM search_image('파란 모자', 'fake', 40, filter => 'id > 10', options => %s)",
        ('{"method": "hybrid"}',),
    ).fetchall()
    assert {(key["shop"], key["id"]) for key, _ in rows} == {(shop, i) for shop in "가나" for i in range(11, 21)}
    assert [key["id"] % 2 for key, _ in rows] == [1] * 10 + [0] * 10
    assert rows[0][1]["keyword"] == {"rank": 1, "score": 1}


def test_vector_outside_the_search_path(
    superuser_connection: psycopg.Connection, connection: psycopg.Connection, shop: Shop
) -> None:
    expected = search(connection, "흰색 모자", k=5, method="hybrid", minus=["x"])
    superuser_connection.execute("CREATE SCHEMA extensions; GRANT USAGE ON SCHEMA extensions TO PUBLIC")
    superuser_connection.execute("ALTER EXTENSION vector SET SCHEMA extensions")
    assert search(connection, "흰색 모자", k=5, method="hybrid", minus=["x"]) == expected
    row = connection.execute("SELECT search_sql('x', 'fake', options => '{\"method\": \"hybrid\"}')").fetchone()
    assert row is not None and "OPERATOR(extensions.<=>)" in row[0]
    connection.execute(row[0])
