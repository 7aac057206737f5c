"""CONVERT: what it stores and returns, what it does the second time, and what pictures that can't be read become."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.conformance.conftest import PHOTOS, draw
from tests.databases import Database
from thanopg.config import ImageLimits, Settings
from thanopg.errors import SyntaxNotUnderstood
from thanopg.images.decode import decode
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.result import Progress, Table
from thanopg.thanosql.session import Session
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

EMBEDDING = "tutorial_search_clip_clipen"
CONVERT = "CONVERT USING tutorial_search_clip AS SELECT * FROM photo"
FOLDER = "tutorial_data/unsplash_data"


@pytest.fixture
def photo(session: Session) -> str:
    session.run(f"COPY photo FROM '{FOLDER}/unsplash.csv'")
    return "photo"


def table_of(session: Session, statement: str) -> Table:
    result = session.run(statement)
    assert isinstance(result, Table)
    return result


def expected(path: Path) -> np.ndarray:
    embedder = FakeEmbedder(16)
    return embedder.embed_images(decode(path.read_bytes(), embedder.preprocessing, ImageLimits())[None])[0]


def test_the_second_time_only_what_changed(
    session: Session, photo: str, connection: psycopg.Connection, root: Path
) -> None:
    assert len(table_of(session, CONVERT).rows) == PHOTOS
    stamps = "SELECT key->>0, embedded_at FROM thanopg.provenance"
    before = dict(connection.execute(stamps).fetchall())
    draw(root / FOLDER / "photo_03.png", 999)
    connection.execute(f"INSERT INTO photo VALUES ('new', '{FOLDER}/photo_04.png')")
    converted = table_of(session, CONVERT)
    after = dict(connection.execute(stamps).fetchall())
    assert {name for name in after if after[name] != before.get(name)} == {"photo_03", "new"}
    vectors = {row[0]: row[-1] for row in converted.rows}
    assert np.array_equal(vectors["photo_03"], expected(root / FOLDER / "photo_03.png"))
    assert len(converted.rows) == PHOTOS + 1


def test_pictures_that_cannot_be_read(session: Session, photo: str, root: Path) -> None:
    (root / FOLDER / "photo_00.png").write_text("no picture")
    (root / FOLDER / "photo_01.png").unlink()
    converted = table_of(session, CONVERT)
    assert [row[0] for row in converted.rows if row[-1] is None] == ["photo_00", "photo_01"]
    (note,) = converted.notes
    assert note.startswith("2 rows of photo have no vector: 1 missing, 1 not_an_image")
    search = "(SEARCH IMAGE text='a black cat' USING tutorial_search_clip AS SELECT * FROM photo)"
    similarity = f"{EMBEDDING}_similarity1"
    for limit in ("LIMIT 5", f"LIMIT {PHOTOS}", ""):
        ranked = table_of(session, f"SELECT photo_id, {similarity} FROM {search} ORDER BY {similarity} DESC {limit}")
        assert ranked.rows[0][1] is not None
    assert {row[0] for row in ranked.rows[-2:]} == {"photo_00", "photo_01"}
    again = table_of(
        session, "SEARCH IMAGE USING tutorial_search_clip OPTIONS(search_input='x') AS SELECT * FROM photo"
    )
    assert len(again.rows) == PHOTOS
    assert all(row[-1] is None for row in again.rows[-2:])
    draw(root / FOLDER / "photo_00.png", 0)
    draw(root / FOLDER / "photo_01.png", 1)
    assert table_of(session, CONVERT).notes == ()


def test_another_table_carries_the_key(session: Session, photo: str, connection: psycopg.Connection) -> None:
    made = table_of(session, "CONVERT USING tutorial_search_clip OPTIONS(table_name='copied') AS SELECT * FROM photo")
    assert len(made.rows) == PHOTOS
    assert made.columns[-1] == EMBEDDING
    keys = connection.execute("SELECT table_name, key_names FROM thanopg.embedding_column").fetchall()
    assert keys == [("copied", ["photo_id"])]
    fewer = table_of(
        session,
        "CONVERT USING tutorial_search_clip OPTIONS(table_name=copied, result_col=convert_result) "
        "AS SELECT ai_description, image_path, photo_id FROM photo ORDER BY photo_id LIMIT 3",
    )
    assert fewer.columns == ("ai_description", "image_path", "photo_id", "convert_result")
    assert len(fewer.rows) == 3
    keys = connection.execute("SELECT table_name, key_names FROM thanopg.embedding_column").fetchall()
    assert keys == [("copied", ["photo_id"])]
    none = table_of(
        session,
        "CONVERT USING tutorial_search_clip OPTIONS(table_name=joined) AS "
        "SELECT a.image_path, 1 AS one FROM photo a JOIN copied b ON true WHERE a.photo_id < 'photo_02'",
    )
    assert none.columns == ("image_path", "one", "id", EMBEDDING)
    assert "key column id was added" in none.notes[0]


def test_two_models_on_one_table(session: Session, photo: str) -> None:
    table_of(session, CONVERT)
    session.run("GET THANOSQL MODEL fake:8 AS second")
    both = table_of(session, "CONVERT USING second AS SELECT * FROM photo")
    assert both.columns[-2:] == (EMBEDDING, "second_custom")
    searched = table_of(session, "SEARCH IMAGE text='a' USING second AS SELECT * FROM photo")
    assert searched.columns[-1] == "second_custom_similarity1"


def test_the_result_can_be_kept_and_searched(session: Session, photo: str) -> None:
    session.run("CREATE TABLE kept AS SELECT * FROM (CONVERT USING tutorial_search_clip AS SELECT * FROM photo)")
    searched = table_of(
        session,
        f"SEARCH IMAGE USING tutorial_search_clip OPTIONS(search_by='image', search_input='{FOLDER}/photo_07.png', "
        f"emb_col='{EMBEDDING}', result_col='score', top_k=3) AS SELECT photo_id, {EMBEDDING} FROM kept",
    )
    assert searched.columns[-1] == "score"
    assert searched.rows[0][0] == "photo_07"
    assert searched.rows[0][-1] == pytest.approx(1, abs=1e-6)
    assert len(searched.rows) == 3


def test_vectors_that_came_along_are_taken_over(session: Session, photo: str, connection: psycopg.Connection) -> None:
    session.run("CREATE TABLE kept AS SELECT * FROM (CONVERT USING tutorial_search_clip AS SELECT * FROM photo)")
    connection.execute("ALTER TABLE kept ADD PRIMARY KEY (photo_id)")
    connection.execute(
        f"UPDATE kept SET {EMBEDDING} = array_fill(0.25::real, ARRAY[16])::vector WHERE photo_id > 'photo_1'"
    )
    (note,) = table_of(session, "CONVERT USING tutorial_search_clip AS SELECT * FROM kept").notes
    assert f"keep a vector in {EMBEDDING} that model tutorial_search_clip would not make" in note
    known = "SELECT count(*) FILTER (WHERE embedded_at IS NULL) FROM thanopg.provenance WHERE embedding = 2"
    assert connection.execute(known).fetchone() != (0,)  # those that nobody looked at
    connection.execute("SELECT retry()")
    assert table_of(session, "CONVERT USING tutorial_search_clip AS SELECT * FROM kept").notes == ()
    unlike = f"SELECT count(*) FROM kept JOIN photo USING (photo_id) WHERE kept.{EMBEDDING} <> photo.{EMBEDDING}"
    assert connection.execute(unlike.encode()).fetchone() == (0,)  # the second time looks at all of them


def test_some_columns_and_rows(session: Session, photo: str) -> None:
    some = table_of(
        session, "CONVERT USING tutorial_search_clip AS SELECT image_path FROM photo WHERE photo_id < 'photo_05'"
    )
    assert some.columns == ("image_path", EMBEDDING)
    assert len(some.rows) == 5
    assert all(row[1] is not None for row in some.rows)


def test_what_is_refused(session: Session, photo: str) -> None:
    session.run("BEGIN")
    with pytest.raises(SyntaxNotUnderstood, match="inside a transaction"):
        session.run(CONVERT)
    session.run("ROLLBACK")
    with pytest.raises(SyntaxNotUnderstood, match="the query of CONVERT has no column image_path"):
        session.run("CONVERT USING tutorial_search_clip OPTIONS(table_name=new) AS SELECT 1 AS a")
    table_of(session, CONVERT)
    with pytest.raises(SyntaxNotUnderstood, match="holds the vectors of image_path"):
        session.run("CONVERT USING tutorial_search_clip OPTIONS(image_col=ai_description) AS SELECT * FROM photo")


def test_captions_and_their_vectors(session: Session, photo: str, connection: psycopg.Connection) -> None:
    """A captioner is used for captions, and what embeds texts for the text column that is named."""
    session.run("GET THANOSQL MODEL 'fake:0' AS words")
    captioned = table_of(session, "CONVERT USING words OPTIONS(attributes_col='속성') AS SELECT * FROM photo")
    assert captioned.columns[-2:] == ("caption", "속성")
    assert all("무늬" in row[-2] and row[-1]["언어"] == "ko" for row in captioned.rows)
    english = table_of(
        session,
        "CONVERT USING words OPTIONS(task='caption', language='en', result_col='english') "
        "AS SELECT photo_id, image_path FROM photo LIMIT 3",
    )
    assert english.columns == ("photo_id", "image_path", "english")
    assert all(row[-1].startswith("a picture") for row in english.rows)
    vectors = table_of(session, "CONVERT USING tutorial_search_clip OPTIONS(text_col='caption') AS SELECT * FROM photo")
    assert vectors.columns[-1] == f"{EMBEDDING}_caption"
    chains = connection.execute("SELECT chain FROM embedding_status ORDER BY length(chain) DESC").fetchone()
    assert chains == (f"image_path → caption → {EMBEDDING}_caption",)
    nearest = table_of(
        session,
        f"SEARCH IMAGE USING tutorial_search_clip OPTIONS(search_input='{captioned.rows[7][-2]}', top_k=1) "
        "AS SELECT * FROM photo",
    )
    assert nearest.rows[0][0] == captioned.rows[7][0]


def test_captions_of_another_kind_need_another_column(session: Session, photo: str, root: Path) -> None:
    session.run("GET THANOSQL MODEL 'fake:0' AS words")
    convert = "CONVERT USING words OPTIONS({}) AS SELECT * FROM photo"
    table_of(session, convert.format("language='ko'"))
    assert table_of(session, convert.format("task='caption'")).columns[-1] == "caption"  # the same ones
    with pytest.raises(SyntaxNotUnderstood, match="was made with language='ko', not 'en'") as refused:
        session.run(convert.format("language='en'"))
    assert "result_col" in refused.value.hint
    with pytest.raises(SyntaxNotUnderstood, match="holds the captions of image_path by model words"):
        session.run("CONVERT USING tutorial_search_clip OPTIONS(result_col='caption') AS SELECT * FROM photo")
    (root / FOLDER / "photo_00.png").write_text("no picture")
    (note,) = table_of(session, convert.format("task='caption'")).notes
    assert note.startswith("1 rows of photo have no caption: 1 not_an_image")


@pytest.fixture
def worker(database: Database, settings: Settings, library: ModelLibrary) -> Iterator[Worker]:
    """Running somewhere else, as far as the session can tell."""
    stop = threading.Event()
    with (
        DecodePool(1, settings.limits) as decoder,
        Preparer(ImageReader(settings.image_root, settings.limits), decoder, threads=2) as preparer,
    ):
        running = Worker(database.url, library, preparer)
        thread = threading.Thread(target=running.run, args=(stop,))
        thread.start()
        yield running
        stop.set()
        thread.join()


def test_it_waits_for_the_workers_that_are_there(
    database: Database, settings: Settings, session: Session, photo: str, worker: Worker
) -> None:
    deadline = threading.Event()
    while table_of(session, "SELECT thanopg.worker_count()").rows == ((0,),):
        assert not deadline.wait(0.05)
    seen: list[Progress] = []
    with Session(database.url, settings, on_progress=seen.append, library=None) as watching:
        converted = watching.run(CONVERT)
    assert isinstance(converted, Table)
    assert len(converted.rows) == PHOTOS
    assert worker.tally.embedded == PHOTOS
    assert seen[-1].done == seen[-1].total == PHOTOS
    assert {progress.what for progress in seen} == {"embedding photo"}
    assert not any(progress.note == "in this process" for progress in seen)


def test_it_says_how_long_it_will_take(
    database: Database,
    settings: Settings,
    session: Session,
    photo: str,
    library: ModelLibrary,
    connection: psycopg.Connection,
) -> None:
    """As workers were lately; and nothing of what it takes care of itself."""
    fingerprint = FakeEmbedder(16).info.fingerprint
    connection.execute("SELECT thanopg.note_rate(%s, 'image', 2, 1)", (fingerprint,))
    seen: list[Progress] = []
    with Session(database.url, settings, on_progress=seen.append, library=library) as watching:
        converted = table_of(watching, CONVERT)
    assert (seen[0].rate, seen[0].seconds_left, seen[0].note) == (2.0, PHOTOS / 2, "in this process")
    assert (seen[-1].done, converted.warnings, converted.notes) == (PHOTOS, (), ())
    added = session.run("SELECT thanopg.add_image_embedding('photo', 'image_path', 'tutorial_search_clip', 'again')")
    assert [text.partition(";")[0] for text in added.warnings] == [f"{PHOTOS} rows wait for a worker"]
