"""add_image_embedding and drop_embedding: what they make, what they refuse, what they leave."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from thanopg.models.fake import FakeEmbedder


def pending(connection: psycopg.Connection) -> list[object]:
    return [key for (key,) in connection.execute("SELECT key FROM thanopg.pending ORDER BY key").fetchall()]


def columns(connection: psycopg.Connection, table: str) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    ).fetchall()


def test_column_index_triggers_and_work(connection: psycopg.Connection, photo: str) -> None:
    assert columns(connection, photo)[-1] == ("fake_fake", "vector(8)")
    assert connection.execute("SELECT index FROM embedding_status").fetchone() == ("ready",)
    assert len(pending(connection)) == 10
    assert (
        connection.execute("SELECT tgenabled FROM pg_trigger WHERE tgname LIKE 'thanopg_%'").fetchall() == [("A",)] * 2
    )


def test_halfvec_under_a_chosen_name(connection: psycopg.Connection, photo: str) -> None:
    made = connection.execute(
        "SELECT add_image_embedding('photo', 'image_path', 'fake', '벡터', type => 'halfvec', index => 'none')"
    ).fetchone()
    assert made == ("벡터",)
    assert columns(connection, photo)[-1] == ("벡터", "halfvec(8)")
    assert ("벡터", "none") in connection.execute("SELECT column_name, index FROM embedding_status").fetchall()


def test_any_name_and_any_key(connection: psycopg.Connection, model: FakeEmbedder) -> None:
    table = sql.Identifier('Weird "name')
    connection.execute(
        sql.SQL(
            'CREATE TABLE {} ("a B" timestamptz, "ㄱ" uuid, "p\'" text, "im""age" bytea, PRIMARY KEY ("ㄱ", "a B"))'
        ).format(table)
    )
    connection.execute(
        "SELECT add_image_embedding(%s, %s, 'fake', column_name => 'V \"x')", ('"Weird ""name"', 'im"age')
    )
    connection.execute("SET TimeZone = 'Asia/Seoul'; SET DateStyle = 'German'")
    connection.execute(
        sql.SQL(
            "INSERT INTO {} VALUES ('2026-01-01 09:00+09', '00000000-0000-0000-0000-00000000000a', 'x', '\\x01')"
        ).format(table)
    )
    assert pending(connection) == [["00000000-0000-0000-0000-00000000000a", "2026-01-01T00:00:00+00:00"]]
    read = connection.execute(
        "SELECT source_bytes FROM thanopg.read_source(1, ARRAY(SELECT key FROM thanopg.pending))"
    ).fetchall()
    assert read == [(b"\x01",)]


def test_a_unique_index_serves_as_key(connection: psycopg.Connection, model: FakeEmbedder) -> None:
    connection.execute("CREATE TABLE t (a text, b int NOT NULL, image text)")
    connection.execute("CREATE UNIQUE INDEX ON t (a)")  # a may be null: no key
    connection.execute("CREATE UNIQUE INDEX ON t (b)")
    connection.execute("SELECT add_image_embedding('t', 'image', 'fake')")
    assert connection.execute("SELECT key_names FROM thanopg.embedding_column").fetchone() == (["b"],)


def test_partitions(connection: psycopg.Connection, model: FakeEmbedder) -> None:
    connection.execute("CREATE TABLE p (id int, image text, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    connection.execute("CREATE TABLE p1 (junk int, image text, id int NOT NULL); ALTER TABLE p1 DROP COLUMN junk")
    connection.execute("ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10)")
    connection.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
    connection.execute("SELECT add_image_embedding('p', 'image', 'fake')")
    connection.execute("INSERT INTO p VALUES (1, 'a'), (11, 'b')")
    connection.execute("INSERT INTO p1 (id, image) VALUES (2, 'c')")
    connection.execute("UPDATE p SET id = 12 WHERE id = 2")  # moves to the other partition
    assert [1] in pending(connection) and [11] in pending(connection) and [12] in pending(connection)


@pytest.mark.parametrize(
    ("prepare", "call", "sqlstate"),
    [
        ("CREATE TABLE t (a text)", "add_image_embedding('t', 'a', 'fake')", "42P16"),
        ("CREATE VIEW t AS SELECT 1 AS id", "add_image_embedding('t', 'id', 'fake')", "42809"),
        ("CREATE TEMP TABLE t (id int PRIMARY KEY, a text)", "add_image_embedding('t', 'a', 'fake')", "42809"),
        ("CREATE TABLE t (id int PRIMARY KEY)", "add_image_embedding('t', 'id', 'fake')", "42804"),
        ("CREATE TABLE t (id int PRIMARY KEY)", "add_image_embedding('t', 'nope', 'fake')", "42703"),
        ("CREATE TABLE t (id int PRIMARY KEY, a text)", "add_image_embedding('t', 'a', 'nope')", "42704"),
        (
            "CREATE TABLE t (id int PRIMARY KEY, a text)",
            "add_image_embedding('t', 'a', 'fake', column_name => 'a')",
            "42701",
        ),
        (
            "CREATE TABLE t (id int PRIMARY KEY, a text)",
            "add_image_embedding('t', 'a', 'fake', type => 'bit')",
            "22023",
        ),
        ("CREATE TABLE t (id int PRIMARY KEY, a text)", "add_image_embedding('t', 'a', 'fake', index => 'x')", "22023"),
        (
            "CREATE TABLE t (id int PRIMARY KEY, a text)",
            "add_image_embedding('t', 'a', 'fake', column_name => repeat('가', 22))",
            "42622",
        ),
        ("SELECT 1", "add_image_embedding('nope', 'a', 'fake')", "42P01"),
        ("SELECT 1", "add_image_embedding('thanopg.model', 'name', 'fake')", "42809"),
    ],
)
def test_refusals(connection: psycopg.Connection, model: FakeEmbedder, prepare: str, call: str, sqlstate: str) -> None:
    connection.execute(prepare)
    with pytest.raises(psycopg.Error) as refused:
        connection.execute("SELECT " + call)
    assert refused.value.sqlstate == sqlstate
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)


def test_what_queues_a_row(connection: psycopg.Connection, photo: str) -> None:
    def queued(statement: str) -> list[object]:
        connection.execute("DELETE FROM thanopg.pending")
        connection.execute(statement)
        return pending(connection)

    assert queued("INSERT INTO photo VALUES (11, 'a')") == [[11]]
    assert queued("INSERT INTO photo VALUES (12, NULL)") == []
    assert queued("INSERT INTO photo VALUES (13, NULL, NULL, '[1,0,0,0,0,0,0,0]')") == [[13]]  # a vector of nothing
    assert queued("UPDATE photo SET note = 'n'") == []
    assert queued("UPDATE photo SET image_path = image_path") == []
    assert queued("UPDATE photo SET image_path = 'b' WHERE id = 1") == [[1]]
    assert queued("UPDATE photo SET image_path = NULL WHERE id = 1") == [[1]]
    assert queued("UPDATE photo SET id = 101 WHERE id = 2") == [[101]]
    assert queued(
        "INSERT INTO photo VALUES (3, 'c') ON CONFLICT (id) DO UPDATE SET image_path = EXCLUDED.image_path"
    ) == [[3]]
    assert queued("BEGIN; UPDATE photo SET image_path = 'd'; ROLLBACK") == []


def test_renamed_columns_are_followed(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("DELETE FROM thanopg.pending")
    connection.execute("ALTER TABLE photo RENAME image_path TO path; ALTER TABLE photo RENAME id TO number")
    connection.execute("ALTER TABLE photo RENAME TO picture; ALTER TABLE picture RENAME fake_fake TO vector")
    connection.execute("INSERT INTO picture (number, path) VALUES (50, 'x')")
    assert pending(connection) == [[50]]
    connection.execute("SELECT thanopg.reconcile(1)")
    assert connection.execute("SELECT key_names, source_name, column_name FROM thanopg.embedding").fetchone() == (
        ["number"],
        "path",
        "vector",
    )


def test_drop_leaves_nothing(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT drop_embedding('photo', 'fake_fake')")
    assert [name for name, _ in columns(connection, photo)] == ["id", "image_path", "note"]
    assert pending(connection) == []
    assert connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'thanopg_%'").fetchone() == (0,)
    connection.execute("SELECT drop_model('fake')")


def test_a_used_model_stays(connection: psycopg.Connection, photo: str) -> None:
    with pytest.raises(psycopg.errors.DependentObjectsStillExist):
        connection.execute("SELECT drop_model('fake')")


def test_a_dropped_table_is_forgotten(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("DROP TABLE photo")
    assert connection.execute("SELECT count(*) FROM embedding_status").fetchone() == (0,)
    connection.execute("SELECT thanopg.reconcile(1)")
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)
