"""image → caption → vector: one worker fills all of it, and what changes goes down the chain, no further and no less."""

from __future__ import annotations

import hashlib
import unicodedata

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.db.conftest import DIMENSIONS
from tests.working import LIMITS, picture, picture_uri, vector, work_off
from thanopg.images.decode import decode
from thanopg.models.fake import FakeEmbedder

ROWS = 5


@pytest.fixture
def photo(connection: psycopg.Connection, model: FakeEmbedder, captioner: FakeEmbedder) -> str:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', column_name => 'image_vector')")
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', attributes_column => 'attributes')")
    connection.execute("SELECT add_text_embedding('photo', 'caption', 'fake', column_name => 'caption_vector')")
    for n in range(ROWS):
        connection.execute("INSERT INTO photo VALUES (%s, %s)", (n, picture_uri(n)))
    return "photo"


def caption_of(seed: int, language: str = "ko", prompt: str | None = None) -> str:
    captioner = FakeEmbedder(0)
    pixels = decode(picture(seed), captioner.preprocessing, LIMITS)
    return unicodedata.normalize(
        "NFC", captioner.caption_images(pixels[None], language=language, prompt=prompt)[0].text
    )


def text_vector(text: str) -> list[float]:
    return [float(value) for value in FakeEmbedder(DIMENSIONS).embed_texts([text]).vectors[0]]


def rows(connection: psycopg.Connection) -> dict[int, tuple[object, ...]]:
    found = connection.execute(
        "SELECT id, image_vector::real[], caption, attributes->>'언어', caption_vector::real[] FROM photo"
    ).fetchall()
    return {n: tuple(np.float32(v).tolist() if isinstance(v, list) else v for v in values) for n, *values in found}


def expected(seed: int) -> tuple[object, ...]:
    caption = caption_of(seed)
    return vector(seed, DIMENSIONS), caption, "ko", text_vector(caption)


def test_one_run_fills_the_chain(connection: psycopg.Connection, database: Database, photo: str) -> None:
    tally = work_off(database.url)
    assert rows(connection) == {n: expected(n) for n in range(ROWS)}
    assert (tally.embedded, tally.failed, tally.model_calls) == (3 * ROWS, 0, 3)
    assert unicodedata.is_normalized("NFC", caption_of(0)) and "무늬" in caption_of(0)
    status = connection.execute("SELECT column_name, rows, embedded, pending FROM embedding_status").fetchall()
    assert status == [(name, ROWS, ROWS, 0) for name in ("image_vector", "caption", "caption_vector")]
    hashes = connection.execute(
        "SELECT content_hash FROM thanopg.provenance v JOIN photo ON v.key = jsonb_build_array(id) "
        "WHERE embedding = 3 ORDER BY id"
    ).fetchall()
    assert hashes == [(hashlib.sha256(caption_of(n).encode()).digest(),) for n in range(ROWS)]


def test_changes_go_down_the_chain(connection: psycopg.Connection, database: Database, photo: str) -> None:
    work_off(database.url)
    connection.execute("UPDATE photo SET image_path = %s WHERE id = 1", (picture_uri(11),))
    connection.execute("UPDATE photo SET image_path = NULL WHERE id = 2")
    connection.execute("UPDATE photo SET image_path = 'data:,words' WHERE id = 3")
    connection.execute("UPDATE photo SET caption = 'by hand' WHERE id = 4")
    connection.execute("UPDATE photo SET note = 'n' WHERE id = 0")
    tally = work_off(database.url)
    none = (None, None, None, None)
    by_hand = (vector(4, DIMENSIONS), "by hand", "ko", text_vector("by hand"))
    assert rows(connection) == {0: expected(0), 1: expected(11), 2: none, 3: none, 4: by_hand}
    assert tally.faults == {"not_an_image": 2}
    assert tally.embedded == 3 + 3 + 1 + 1  # the third row's and the fourth's vector go with the captions
    connection.execute("SELECT refresh('photo', 'caption')")
    assert work_off(database.url).embedded == 2  # what was written by hand gives way, and its vector with it
    assert rows(connection)[4] == expected(4)


def test_a_text_without_a_word_has_no_vector(connection: psycopg.Connection, database: Database, photo: str) -> None:
    work_off(database.url)
    connection.execute("UPDATE photo SET caption = E' \\u3000\\n' WHERE id = 1")
    connection.execute("UPDATE photo SET caption = NULL WHERE id = 2")  # found by the reconciler, and made anew
    tally = work_off(database.url)
    assert tally.faults == {"empty_text": 1}
    failures = connection.execute("SELECT column_name, key, error_type, error_text, next_attempt_at FROM failure")
    assert failures.fetchall() == [("caption_vector", {"id": 1}, "empty_text", "the text is empty", None)]
    without = connection.execute("SELECT id FROM photo WHERE caption_vector IS NULL ORDER BY id").fetchall()
    assert without == [(1,)]
    connection.execute("UPDATE photo SET caption = '빨간 신발' WHERE id = 1")
    assert work_off(database.url).embedded == 1
    assert connection.execute("SELECT count(*) FROM failure").fetchone() == (0,)


def test_one_text_however_its_signs_came(connection: psycopg.Connection, database: Database, photo: str) -> None:
    work_off(database.url)
    composed, letters = (unicodedata.normalize(form, "파란 원피스") for form in ("NFC", "NFD"))
    connection.execute("UPDATE photo SET caption = CASE WHEN id < 2 THEN %s ELSE %s END", (composed, letters))
    tally = work_off(database.url)
    assert (tally.embedded, tally.model_calls) == (ROWS, 1)
    distinct = connection.execute("SELECT DISTINCT caption_vector::real[] FROM photo").fetchall()
    assert [np.float32(v).tolist() for (v,) in distinct] == [text_vector(composed)]


def test_columns_differ_in_language_and_prompt(connection: psycopg.Connection, database: Database, photo: str) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', 'english', language => 'en')")
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', 'asked', prompt => '무엇?')")
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', 'again')")
    tally = work_off(database.url)
    assert tally.model_calls == 5  # the last one has nothing to ask
    found = connection.execute("SELECT english, asked, again, caption FROM photo ORDER BY id").fetchall()
    assert found == [
        (caption_of(n, "en"), caption_of(n, prompt="무엇?"), caption_of(n), caption_of(n)) for n in range(ROWS)
    ]


def test_refresh_makes_only_what_changed(connection: psycopg.Connection, database: Database, photo: str) -> None:
    work_off(database.url)
    assert connection.execute("SELECT refresh('photo')").fetchone() == (3 * ROWS,)
    tally = work_off(database.url)
    assert (tally.embedded, tally.unchanged, tally.model_calls) == (0, 3 * ROWS, 0)
