"""Columns that are there already: vectors from elsewhere stay, if they are the model's; nothing is lost by it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.db.conftest import DIMENSIONS
from tests.working import picture, vector, work_off
from thanopg.models.fake import FakeEmbedder

ROWS = 30
SAMPLE = 20
ADOPT = "SELECT add_image_embedding('photo', 'image', 'fake', column_name => '벡터')"


@pytest.fixture
def photo(connection: psycopg.Connection, model: FakeEmbedder, captioner: FakeEmbedder) -> str:
    """Vectors as another program has left them: of the same model, in less precision. The last row has none."""
    connection.execute(f"CREATE TABLE photo (id int PRIMARY KEY, image bytea, 벡터 vector({DIMENSIONS}), note text)")
    for n in range(ROWS):
        there = np.float16(vector(n, DIMENSIONS)).tolist() if n < ROWS - 1 else None
        connection.execute("INSERT INTO photo VALUES (%s, %s, %s::real[]::vector)", (n, picture(n), there))
    return "photo"


def stored(connection: psycopg.Connection) -> dict[int, str]:
    return dict(connection.execute("SELECT id, 벡터::text FROM photo").fetchall())


def sampled(connection: psycopg.Connection) -> list[int]:
    rows = connection.execute("SELECT (key->0)::int FROM thanopg.pending WHERE adopting ORDER BY 1").fetchall()
    return [n for (n,) in rows]


def test_vectors_stay_and_a_sample_is_looked_at(connection: psycopg.Connection, database: Database, photo: str) -> None:
    before = stored(connection)
    said: list[str] = []
    connection.add_notice_handler(lambda notice: said.append(str(notice.message_primary)))
    assert connection.execute(ADOPT.encode()).fetchone() == ("벡터",)
    assert said == [
        f'{ROWS - 1} vectors of public.photo."벡터" stay as they are; a worker compares {SAMPLE} of them with its own',
        "1 row waits for a worker",
    ]
    assert len(sampled(connection)) == SAMPLE
    status = "SELECT rows, embedded, pending, failed, rate, index FROM embedding_status"
    assert connection.execute(status.encode()).fetchone() == (ROWS, ROWS - 1, SAMPLE + 1, 0, 0.0, "ready")
    tally = work_off(database.url)
    assert (tally.embedded, tally.failed) == (SAMPLE + 1, 0)  # the sample, and the row that had none
    after = stored(connection)
    assert {n: after[n] for n in range(ROWS - 1)} == {n: before[n] for n in range(ROWS - 1)}
    assert np.allclose(np.float32(after[ROWS - 1].strip("[]").split(",")), vector(ROWS - 1, DIMENSIONS))
    known = connection.execute(
        "SELECT count(*), count(content_hash), count(embedded_at) FROM thanopg.provenance"
    ).fetchone()
    assert known == (ROWS, SAMPLE + 1, SAMPLE + 1)
    connection.execute("SELECT thanopg.reconcile(1, deep => true)")  # the others are not made anew by themselves
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (0,)
    connection.execute("UPDATE photo SET image = %s WHERE id = 1", (picture(1001),))
    assert work_off(database.url).embedded == 1


def test_other_vectors_are_found_out_and_left_alone(
    connection: psycopg.Connection, database: Database, photo: str
) -> None:
    connection.execute("UPDATE photo SET 벡터 = array_fill(0.5::real, ARRAY[8])::vector WHERE id < 29")
    before = stored(connection)
    connection.execute(ADOPT.encode())
    tally = work_off(database.url)
    assert tally.faults == {"adoption_mismatch": SAMPLE}
    assert {n: text for n, text in stored(connection).items() if n < 29} == {n: before[n] for n in range(29)}
    (text, aside) = (
        connection.execute("SELECT error_text, next_attempt_at IS NULL FROM failure LIMIT 1").fetchone() or ()
    )
    assert "cosine" in text and "retry(error_type => 'adoption_mismatch')" in text and aside
    assert connection.execute("SELECT retry(error_type => 'adoption_mismatch')").fetchone() == (SAMPLE,)
    assert work_off(database.url).embedded == SAMPLE  # those rows anew
    assert sum(text == before[n] for n, text in stored(connection).items() if n < 29) == 29 - SAMPLE
    assert connection.execute("SELECT refresh('photo')").fetchone() == (ROWS,)
    assert work_off(database.url).embedded == 29 - SAMPLE  # and then all the others
    assert all(
        np.allclose(np.float32(t.strip("[]").split(",")), vector(n, DIMENSIONS)) for n, t in stored(connection).items()
    )


def test_a_picture_that_cannot_be_read_takes_no_adopted_vector_away(
    connection: psycopg.Connection, database: Database, photo: str, tmp_path: Path
) -> None:
    connection.execute("ALTER TABLE photo ADD path text; UPDATE photo SET path = '../' || id || '.png'")
    connection.execute("SELECT add_image_embedding('photo', 'path', 'fake', column_name => '벡터')")
    before = stored(connection)
    tally = work_off(database.url, tmp_path)
    assert tally.faults == {"forbidden": SAMPLE + 1}
    assert stored(connection) == before


def test_a_changed_source_ends_the_comparison(connection: psycopg.Connection, database: Database, photo: str) -> None:
    connection.execute(ADOPT.encode())
    first = sampled(connection)[0]
    connection.execute("UPDATE photo SET image = %s WHERE id = %s", (picture(1001), first))
    assert first not in sampled(connection)
    assert work_off(database.url).failed == 0
    assert np.allclose(np.float32(stored(connection)[first].strip("[]").split(",")), vector(1001, DIMENSIONS))


def test_vectors_of_a_text_column_and_an_index_that_is_there(
    connection: psycopg.Connection, database: Database, model: FakeEmbedder
) -> None:
    connection.execute(f"CREATE TABLE product (id int PRIMARY KEY, name text, v halfvec({DIMENSIONS}))")
    for n, name in enumerate(("런닝화", "방수 부츠")):
        made = model.embed_passages([name]).vectors[0].tolist()
        connection.execute("INSERT INTO product VALUES (%s, %s, %s::real[]::vector::halfvec)", (n, name, made))
    connection.execute("CREATE INDEX mine ON product USING hnsw (v halfvec_cosine_ops)")
    connection.execute("SELECT add_text_embedding('product', 'name', 'fake', column_name => 'v', type => 'halfvec')")
    assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'product'").fetchone() == (2,)
    tally = work_off(database.url)
    assert (tally.embedded, tally.failed) == (2, 0)


def test_columns_of_another_operator_class_get_an_index_of_their_own(
    connection: psycopg.Connection, photo: str
) -> None:
    connection.execute("CREATE INDEX mine ON photo USING hnsw (벡터 vector_l2_ops)")
    connection.execute(ADOPT.encode())
    assert connection.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'photo'").fetchone() == (3,)


@pytest.mark.parametrize(
    ("prepare", "call", "sqlstate", "words"),
    [
        (
            "ALTER TABLE photo ADD v vector(9)",
            "'v'",
            "42701",
            r"column v, of type public\.vector\(9\), expected public",
        ),
        ("ALTER TABLE photo ADD v vector", "'v'", "42701", r"of type public\.vector, expected"),
        ("ALTER TABLE photo ADD v halfvec(8)", "'v'", "42701", r"of type public\.halfvec\(8\), expected"),
        ("ALTER TABLE photo ADD v real[]", "'v'", "42701", r"of type real\[\], expected"),
        (
            "ALTER TABLE photo ADD v vector(8) GENERATED ALWAYS AS (NULL::vector(8)) STORED",
            *("'v'", "428C9", "v of public.photo is generated"),
        ),
        (
            "DELETE FROM photo WHERE 벡터 IS NULL; ALTER TABLE photo ALTER 벡터 SET NOT NULL",
            "'벡터'",
            "42P16",
            "NOT NULL",
        ),
        (
            "UPDATE photo SET image = NULL WHERE id < 3",
            "'벡터'",
            "55000",
            "3 rows of public.photo have a vector, but no image",
        ),
        (ADOPT, "'벡터'", "42701", "is an embedding column already"),
        ("SELECT 1", "'ctid'", "42701", "of type tid"),
    ],
)
def test_refusals(
    connection: psycopg.Connection, photo: str, prepare: str, call: str, sqlstate: str, words: str
) -> None:
    connection.execute(prepare.encode())
    before = connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone()
    with pytest.raises(psycopg.Error, match=words) as refused:
        connection.execute(f"SELECT add_image_embedding('photo', 'image', 'fake', column_name => {call})".encode())
    assert refused.value.sqlstate == sqlstate
    assert refused.value.diag.message_hint
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == before


def test_a_caption_column_may_be_there_if_it_is_empty(
    connection: psycopg.Connection, database: Database, photo: str
) -> None:
    connection.execute("UPDATE photo SET note = '손으로' WHERE id = 3")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="is not empty"):
        connection.execute("SELECT add_caption('photo', 'image', 'words', 'note')")
    connection.execute("UPDATE photo SET note = NULL; ALTER TABLE photo ADD about jsonb")
    connection.execute("SELECT add_caption('photo', 'image', 'words', 'note', attributes_column => 'about')")
    assert work_off(database.url).embedded == ROWS
    assert connection.execute("SELECT count(note), count(about) FROM photo").fetchone() == (ROWS, ROWS)


@pytest.mark.parametrize(
    ("prepare", "call", "chain"),
    [
        ("SELECT 1", "add_caption('loop', 'a', 'words', column_name => 'a')", "a → a"),
        ("SELECT add_caption('loop', 'a', 'words', 'b')", "add_caption('loop', 'b', 'words', 'a')", "a → b → a"),
        (
            "SELECT add_caption('loop', 'a', 'words', 'b'); SELECT add_caption('loop', 'b', 'words', 'c')",
            *("add_caption('loop', 'c', 'words', 'a')", "a → b → c → a"),
        ),
    ],
)
def test_no_column_is_made_from_itself(
    connection: psycopg.Connection, captioner: FakeEmbedder, prepare: str, call: str, chain: str
) -> None:
    connection.execute("CREATE TABLE loop (id int PRIMARY KEY, a text, b text)")
    connection.execute(prepare.encode())
    with pytest.raises(psycopg.errors.InvalidRecursion, match=f"would be made from itself: {chain}"):
        connection.execute(f"SELECT {call}".encode())
