"""How long what waits will take: said from what workers have done, and not at all where they have done nothing yet."""

from __future__ import annotations

import psycopg
import pytest

from tests.databases import Database
from tests.working import picture_uri, work_off
from thanopg.database.connect import connect
from thanopg.models.fake import FakeEmbedder
from thanopg.worker.queue import WorkQueue

ADD = "SELECT add_image_embedding('사진', 'image_path', 'fake', index => 'none')"


@pytest.fixture
def said(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Notices and their hints."""
    heard: list[tuple[str, str]] = []
    connection.add_notice_handler(lambda d: heard.append((d.message_primary or "", d.message_hint or "")))
    return heard


def fill(connection: psycopg.Connection, rows: int) -> None:
    connection.execute("CREATE TABLE 사진 (id int PRIMARY KEY, image_path text)")
    connection.execute(f"INSERT INTO 사진 SELECT i, i || '.jpg' FROM generate_series(1, {rows}) i".encode())


def note(connection: psycopg.Connection, model: FakeEmbedder, rows: int, seconds: float) -> None:
    connection.execute("SELECT thanopg.note_rate(%s, 'image', %s, %s)", (model.info.fingerprint, rows, seconds))


@pytest.mark.parametrize(
    ("rows", "message"), [(1, "1 row waits for a worker"), (1200, "1,200 rows wait for a worker"), (0, None)]
)
def test_nothing_of_time_where_nothing_was_measured(
    connection: psycopg.Connection, model: FakeEmbedder, said: list[tuple[str, str]], rows: int, message: str | None
) -> None:
    fill(connection, rows)
    connection.execute("SELECT thanopg.note_rate('of another model', 'image', 10, 1)")
    connection.execute("SELECT thanopg.note_rate(%s, 'text', 10, 1)", (model.info.fingerprint,))
    connection.execute(ADD)
    hint = "no worker is connected, start one: thanopg worker; see: SELECT * FROM embedding_status"
    assert said == ([(message, hint)] if message else [])
    assert connection.execute("SELECT time_left FROM embedding_status WHERE pending > 0").fetchall() == [(None,)] * (
        rows > 0
    )


def test_as_long_as_the_workers_took_lately(
    database: Database, connection: psycopg.Connection, model: FakeEmbedder, said: list[tuple[str, str]]
) -> None:
    fill(connection, 18_070)
    note(connection, model, 5, 1)
    note(connection, model, 13_900, 200)  # the latest counts
    queue, another = WorkQueue(database.url), WorkQueue(database.url)
    queue.announce()
    another.announce()
    try:
        connection.execute(ADD)
        left = connection.execute("SELECT extract(epoch FROM time_left), rate FROM embedding_status").fetchone()
    finally:
        queue.close()
        another.close()
    message = "18,070 rows wait for a worker; about 2 minutes at 139 rows/s (measured over 13,900 rows)"
    assert said == [(message, "see: SELECT * FROM embedding_status")]
    assert left == (130, 0)


def test_what_is_old_says_so(connection: psycopg.Connection, model: FakeEmbedder, said: list[tuple[str, str]]) -> None:
    fill(connection, 90)
    note(connection, model, 300, 200)
    connection.execute("UPDATE thanopg.worker_rate SET measured_at = now() - interval '50 hours'")
    connection.execute(ADD)
    assert (
        said[0][0] == "90 rows wait for a worker; about 60 seconds at 1.5 rows/s (measured over 300 rows, 2 days ago)"
    )


def test_in_words(connection: psycopg.Connection) -> None:
    lengths = (0.2, 2.4, 89, 91, 89 * 60, 91 * 60, 35 * 3600, 37 * 3600, 86400 * 12345)
    words = [connection.execute("SELECT thanopg.in_words(%s)", (each,)).fetchone() for each in lengths]
    assert [word for (word,) in words if word] == [  # type: ignore[misc]
        *("1 second", "2 seconds", "89 seconds", "2 minutes", "89 minutes"),
        *("2 hours", "35 hours", "2 days", "12,345 days"),
    ]


def test_a_worker_leaves_its_rate(database: Database, connection: psycopg.Connection, model: FakeEmbedder) -> None:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    with connection.cursor().copy("COPY photo FROM STDIN") as copy:
        for number in range(40):
            copy.write_row((number, picture_uri(number)))
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    assert work_off(database.url, batch_size=4).embedded == 40
    rows = connection.execute("SELECT fingerprint, kind, row_count, seconds > 0 FROM thanopg.worker_rate").fetchall()
    ((fingerprint, kind, row_count, positive),) = rows
    assert (fingerprint, kind, positive) == (model.info.fingerprint, "image", True)
    assert 0 < row_count <= 36, "the first batch waited behind no other"
    with connect(database.url) as other:
        assert other.execute("SELECT thanopg.expected_rate(%s, 'image') > 0", (fingerprint,)).fetchone() == (True,)


def test_a_note_waits_for_nobody(database: Database, connection: psycopg.Connection, model: FakeEmbedder) -> None:
    note(connection, model, 5, 1)
    connection.execute("SET statement_timeout = '5s'")
    with connect(database.url) as other:
        other.execute("DELETE FROM thanopg.worker_rate")
        note(connection, model, 6, 1)
        other.rollback()
    assert connection.execute("SELECT row_count FROM thanopg.worker_rate").fetchall() == [(5,)]
    note(connection, model, 7, 1)
    assert connection.execute("SELECT row_count FROM thanopg.worker_rate").fetchall() == [(7,)]
