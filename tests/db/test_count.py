"""Counts are exact while they are small, near and said to be estimates beyond, and never reach into a large table."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from thanopg.models.fake import FakeEmbedder

MANY = 30_000
STATUS = "SELECT rows, embedded, pending, failed, estimated FROM embedding_status ORDER BY column_name"


@pytest.fixture
def queue(connection: psycopg.Connection, photo: str) -> Iterator[psycopg.Connection]:
    """Of a table with 10 rows, and of another embedding column with 30,000 pending ones that it does not have."""
    connection.execute("CREATE TABLE 큰표 (id int PRIMARY KEY, 그림 text)")
    connection.execute("SELECT add_image_embedding('큰표', '그림', 'fake', column_name => 'z')")
    connection.execute(
        "INSERT INTO thanopg.pending (embedding, key) SELECT 2, jsonb_build_array(i) FROM generate_series(1, %s) i",
        (MANY,),
    )
    settle_statistics(connection)
    yield connection


def settle_statistics(connection: psycopg.Connection) -> None:
    connection.execute("SELECT pg_stat_force_next_flush()")  # first: what ANALYZE finds is not to be added once more
    connection.execute("ANALYZE thanopg.pending")


def test_long_queue_is_estimated_and_a_short_one_beside_it_counted(queue: psycopg.Connection) -> None:
    assert queue.execute(STATUS).fetchall() == [(10, 0, 10, 0, False), (0, 0, MANY, 0, True)]
    queue.execute("DELETE FROM thanopg.pending WHERE embedding = 2 AND (key->0)::int <= 5000")
    queue.execute("SELECT pg_stat_force_next_flush()")
    assert queue.execute(STATUS).fetchall() == [(10, 0, 10, 0, False), (0, 0, MANY - 5000, 0, True)]
    assert queue.execute("SELECT thanopg.count_untried(2)").fetchone() == (MANY - 5000,)


def test_end_of_a_long_queue_is_exact(queue: psycopg.Connection) -> None:
    queue.execute("DELETE FROM thanopg.pending WHERE embedding = 2 AND (key->0)::int > 7")
    assert queue.execute(STATUS).fetchall() == [(10, 0, 10, 0, False), (0, 0, 7, 0, False)]
    assert queue.execute("SELECT thanopg.count_untried(1), thanopg.count_untried(2)").fetchone() == (10, 7)


def test_many_failures_are_estimated(queue: psycopg.Connection) -> None:
    queue.execute(
        "UPDATE thanopg.pending SET available_at = 'infinity', failed_at = now(), error_type = 'missing' "
        "WHERE embedding = 2 AND (key->0)::int > 7"
    )
    settle_statistics(queue)
    row = queue.execute(STATUS + " DESC").fetchone()
    assert row == (0, 0, 7, MANY - 7, True)
    assert queue.execute("SELECT thanopg.count_untried(2)").fetchone() == (7,)
    assert queue.execute("SELECT thanopg.is_settled()").fetchone() == (False,)
    queue.execute("DELETE FROM thanopg.pending WHERE failed_at IS NULL")
    assert queue.execute("SELECT thanopg.is_settled()").fetchone() == (True,)


def test_two_long_queues_share_what_the_server_has_counted(queue: psycopg.Connection) -> None:
    queue.execute(
        "INSERT INTO thanopg.pending (embedding, key) SELECT 1, jsonb_build_array(-i) FROM generate_series(1, %s) i",
        (2 * MANY,),
    )
    settle_statistics(queue)
    (first, second) = queue.execute("SELECT pending FROM thanopg.pending_count ORDER BY embedding").fetchall()
    assert first[0] + second[0] == pytest.approx(3 * MANY + 10, abs=1)
    assert first[0] == pytest.approx(2 * MANY, rel=0.05)


def test_large_table_is_estimated_by_statistics_and_the_queue(
    connection: psycopg.Connection, model: FakeEmbedder
) -> None:
    connection.execute(
        "CREATE TABLE photo (id int, at int, image_path text, pad text, PRIMARY KEY (id, at)) PARTITION BY LIST (at)"
    )
    connection.execute("CREATE TABLE photo_1 PARTITION OF photo FOR VALUES IN (1)")
    connection.execute("CREATE TABLE photo_2 PARTITION OF photo FOR VALUES IN (2)")
    connection.execute("ALTER TABLE photo_1 ALTER pad SET STORAGE PLAIN")
    connection.execute(
        "INSERT INTO photo SELECT i, 1 + i / 4400, CASE WHEN i % 4 > 0 THEN '고양이.jpg' END, "
        "repeat('x', CASE WHEN i < 4400 THEN 5000 ELSE 1 END) "
        "FROM generate_series(1, 4800) i"
    )
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("ANALYZE photo_1, photo_2")
    assert connection.execute(STATUS).fetchall() == [(3600, 0, 3600, 0, True)]
    # embedded since, and ANALYZE has not seen it
    connection.execute("DELETE FROM thanopg.pending WHERE (key->0)::int <= 400")
    assert connection.execute(STATUS).fetchall() == [(3600, 300, 3300, 0, True)]
    # pictures that are looked at again have vectors all the same
    connection.execute("UPDATE photo SET fake_fake = '[1,0,0,0,0,0,0,0]' WHERE image_path IS NOT NULL")
    connection.execute("ANALYZE photo_1, photo_2")
    row = connection.execute(STATUS).fetchone()
    assert row is not None and row[1] == pytest.approx(3600, rel=0.05)


def test_embedding_columns_share_what_may_be_counted(queue: psycopg.Connection) -> None:
    queue.execute("DELETE FROM thanopg.pending WHERE embedding = 2 AND (key->0)::int > 9000")
    settle_statistics(queue)
    assert queue.execute(STATUS).fetchall() == [(10, 0, 10, 0, False), (0, 0, 9000, 0, False)]
    for number in range(2):
        queue.execute(f"SELECT add_image_embedding('큰표', '그림', 'fake', column_name => '열{number}')".encode())
    assert queue.execute("SELECT estimated, pending FROM thanopg.pending_count ORDER BY embedding").fetchall() == [
        (False, 10),
        (True, 9000),
        (False, 0),
        (False, 0),
    ]


def test_row_level_security_hides_estimates(
    connection: psycopg.Connection, photo: str, superuser_connection: psycopg.Connection
) -> None:
    superuser_connection.execute("CREATE ROLE 보는이 IN ROLE thanopg_reader")
    try:
        connection.execute("ALTER TABLE photo ENABLE ROW LEVEL SECURITY, ALTER note SET STORAGE PLAIN")
        connection.execute("CREATE POLICY few ON photo USING (id <= 2)")
        connection.execute("GRANT SELECT ON photo TO 보는이")
        superuser_connection.execute("SET search_path TO public, thanopg; SET ROLE 보는이")
        assert superuser_connection.execute(STATUS).fetchall() == [(2, 0, None, None, False)]
        connection.execute("INSERT INTO photo SELECT i, 'x', repeat('x', 5000) FROM generate_series(11, 4200) i")
        assert superuser_connection.execute(STATUS).fetchall() == [(None, None, None, None, True)]
    finally:
        superuser_connection.execute("RESET ROLE")
        superuser_connection.execute("DROP OWNED BY 보는이; DROP ROLE 보는이")
