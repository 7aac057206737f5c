"""Search by several methods on tables of every make: more text columns, other models, policies, partitions, names."""

from __future__ import annotations

import psycopg
import pytest

from tests.db.shop import ROWS, Shop, search
from tests.running_service import RunningService
from thanopg.models.fake import FakeEmbedder


def top(scores: dict[int, float], n: int) -> list[int]:
    return sorted(scores, key=lambda row: -scores[row])[:n]


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
