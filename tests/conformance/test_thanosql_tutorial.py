"""The text-to-image tutorial, statement by statement, as it is written there."""

from __future__ import annotations

import psycopg

from tests.conformance.conftest import COLUMNS, PHOTOS
from thanopg.thanosql.result import Images, Message, Table
from thanopg.thanosql.session import Session

COPY = """\
COPY unsplash_data 
OPTIONS(overwrite=True)
FROM "tutorial_data/unsplash_data/unsplash.csv"
"""
SELECT = """\
SELECT photo_id, image_path, photo_image_url, photo_description, ai_description
FROM unsplash_data
LIMIT 5
"""
PRINT = """\
PRINT IMAGE 
AS
SELECT image_path 
FROM unsplash_data 
LIMIT 5
"""
CONVERT = """\
CONVERT USING tutorial_search_clip
OPTIONS (
    image_col="image_path", 
    table_name="unsplash_data", 
    batch_size=128
    )
AS 
SELECT * 
FROM unsplash_data
"""
SEARCH = """\
SEARCH IMAGE text="a black cat"
USING tutorial_search_clip
AS 
SELECT * 
FROM unsplash_data
"""
SORTED = """\
SELECT image_path, tutorial_search_clip_clipen_similarity1 
FROM (
    SEARCH IMAGE text="a black cat"
    USING tutorial_search_clip
    AS 
    SELECT * 
    FROM unsplash_data
    )
ORDER BY tutorial_search_clip_clipen_similarity1 DESC 
LIMIT 5
"""
PRINT_SORTED = """\
PRINT IMAGE 
AS (
    SELECT image_path, tutorial_search_clip_clipen_similarity1 
    FROM (
        SEARCH IMAGE text="{text}"
        USING tutorial_search_clip
        AS 
        SELECT * 
        FROM unsplash_data
        )
    ORDER BY tutorial_search_clip_clipen_similarity1 DESC 
    LIMIT 5
    )
"""
TEXTS = ("a black cat", "a dog on a chair", "gloomy photos", "the feeling when your program finally works")
EMBEDDING = "tutorial_search_clip_clipen"
SIMILARITY = "tutorial_search_clip_clipen_similarity1"


def test_the_tutorial_from_top_to_bottom(session: Session, connection: psycopg.Connection) -> None:
    copied = session.run(COPY)
    assert isinstance(copied, Message)
    assert copied.text == "Success"
    assert copied.warnings == ()

    shown = session.run(SELECT)
    assert isinstance(shown, Table)
    assert shown.columns == COLUMNS
    assert len(shown.rows) == 5
    assert shown.rows[0][3] is None  # an empty description
    assert shown.rows[1][3] == '사진 1, "인용"'

    printed = session.run(PRINT)
    assert isinstance(printed, Images)
    assert [picture.source for picture in printed.pictures] == [row[1] for row in shown.rows]
    assert session.read_picture(printed.pictures[0])[:4] == b"\x89PNG"

    converted = session.run(CONVERT)
    assert isinstance(converted, Table)
    assert converted.columns == (*COLUMNS, EMBEDDING)
    assert len(converted.rows) == PHOTOS
    assert all(len(row[-1]) == 16 for row in converted.rows)
    assert converted.notes == ()
    columns = connection.execute("SELECT * FROM unsplash_data LIMIT 0").description
    assert columns is not None
    assert [column.name for column in columns] == [*COLUMNS, EMBEDDING]

    searched = session.run(SEARCH)
    assert isinstance(searched, Table)
    assert searched.columns == (*COLUMNS, EMBEDDING, SIMILARITY)
    assert len(searched.rows) == PHOTOS
    similarity = {row[1]: row[-1] for row in searched.rows}
    assert all(-1 <= value <= 1 for value in similarity.values())

    best = session.run(SORTED)
    assert isinstance(best, Table)
    assert best.columns == ("image_path", SIMILARITY)
    assert list(best.rows) == sorted(similarity.items(), key=lambda item: -item[1])[:5]

    seen = set()
    for text in TEXTS:
        pictures = session.run(PRINT_SORTED.format(text=text))
        assert isinstance(pictures, Images)
        assert len(pictures.pictures) == 5
        seen.add(tuple(picture.source for picture in pictures.pictures))
        if text == TEXTS[0]:
            assert [picture.source for picture in pictures.pictures] == [row[0] for row in best.rows]
    assert len(seen) == len(TEXTS)
