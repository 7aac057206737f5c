"""add_text_embedding: vectors of a text column, of one that a captioner writes among them."""

from __future__ import annotations

import psycopg
import pytest

from thanopg.models.fake import FakeEmbedder


@pytest.fixture
def product(connection: psycopg.Connection, model: FakeEmbedder, captioner: FakeEmbedder) -> str:
    connection.execute("CREATE TABLE product (id int PRIMARY KEY, image bytea, name varchar(50), 설명 text)")
    connection.execute("INSERT INTO product (id, name) VALUES (1, '런닝화'), (2, NULL)")
    return "product"


def pending(connection: psycopg.Connection) -> list[tuple[int, object]]:
    return connection.execute("SELECT embedding, key FROM thanopg.pending ORDER BY 1, 2").fetchall()


def test_column_index_and_work(connection: psycopg.Connection, product: str) -> None:
    made = connection.execute("SELECT add_text_embedding('product', 'name', 'fake')").fetchone()
    assert made == ("fake_fake_name",)
    halves = connection.execute("SELECT add_text_embedding('product', '설명', 'fake', type => 'halfvec')").fetchone()
    assert halves == ("fake_fake_설명",)
    status = connection.execute(
        "SELECT column_name, rows, pending, index, kind, chain FROM embedding_status"
    ).fetchall()
    assert status == [
        ("fake_fake_name", 1, 1, "ready", "text", "name → fake_fake_name"),
        ("fake_fake_설명", 0, 0, "ready", "text", "설명 → fake_fake_설명"),
    ]
    connection.execute("INSERT INTO product (id, 설명) VALUES (3, '방수 부츠')")
    assert pending(connection) == [(1, [1]), (2, [3])]


@pytest.mark.parametrize(
    ("call", "sqlstate"),
    [
        ("add_text_embedding('product', 'image', 'fake')", "42804"),
        ("add_text_embedding('product', 'id', 'fake')", "42804"),
        ("add_text_embedding('product', 'nope', 'fake')", "42703"),
        ("add_text_embedding('product', 'name', 'fake', column_name => 'name')", "42701"),
        ("add_text_embedding('product', 'name', 'fake', index => 'x')", "22023"),
        ("add_text_embedding('product', 'name', 'fake', type => 'text')", "22023"),
        ("add_text_embedding('product', 'name', 'words')", "0A000"),
    ],
)
def test_refusals(connection: psycopg.Connection, product: str, call: str, sqlstate: str) -> None:
    with pytest.raises(psycopg.Error) as refused:
        connection.execute(f"SELECT {call}".encode())
    assert refused.value.sqlstate == sqlstate


def test_a_chain_is_shown_and_not_broken(connection: psycopg.Connection, product: str) -> None:
    connection.execute("SELECT add_caption('product', 'image', 'words')")
    connection.execute("SELECT add_text_embedding('product', 'caption', 'fake', column_name => 'caption_vector')")
    assert connection.execute("SELECT chain FROM embedding_status ORDER BY 1").fetchall() == [
        ("image → caption",),
        ("image → caption → caption_vector",),
    ]
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="made from caption") as no:
        connection.execute("SELECT drop_embedding('product', 'caption')")
    assert "keep_column" in (no.value.diag.message_hint or "")
    connection.execute("UPDATE product SET caption = '빨간 신발' WHERE id = 1")  # by hand: the vector follows
    assert pending(connection) == [(2, [1])]
    connection.execute("SELECT drop_embedding('product', 'caption_vector'), drop_embedding('product', 'caption')")
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)
