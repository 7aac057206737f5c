"""Statements on a real server: models and tables listed, values that stay values, errors with their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.conformance.conftest import PHOTOS
from tests.databases import Database
from thanopg.config import Settings
from thanopg.errors import DatabaseUnavailable, ImageError, InstallError, StatementRefused, SyntaxNotUnderstood
from thanopg.thanosql.result import Images, Message, Table
from thanopg.thanosql.session import Session

EMBEDDING = "tutorial_search_clip_clipen"
FOLDER = "tutorial_data/unsplash_data"
SEARCH = "SEARCH IMAGE text='a black cat' USING tutorial_search_clip AS SELECT * FROM photo"


@pytest.fixture
def photo(session: Session) -> str:
    session.run(f"COPY photo FROM '{FOLDER}/unsplash.csv'")
    session.run("CONVERT USING tutorial_search_clip AS SELECT * FROM photo")
    return "photo"


def table_of(session: Session, statement: str, **parameters: object) -> Table:
    result = session.run(statement, parameters=parameters)
    assert isinstance(result, Table)
    return result


def test_models_come_and_go(session: Session, photo: str) -> None:
    assert session.run("GET THANOSQL MODEL 'fake:8' AS Mine").notes == ("model mine is registered",)
    listed = table_of(session, "LIST MODEL")
    assert listed.columns[:2] == ("model_name", "model")
    assert ("mine", "custom", "fake:8", 8) in listed.rows
    assert ("clipen", "clipen") in [row[:2] for row in table_of(session, "LIST THANOSQL MODEL").rows]
    with pytest.raises(SyntaxNotUnderstood, match="model mine exists"):
        session.run("GET THANOSQL MODEL 'fake:8' AS mine")
    session.run("GET THANOSQL MODEL 'fake:4' OPTIONS(overwrite=True) AS mine")
    assert table_of(session, "SELECT dimensions FROM (LIST MODEL) WHERE model_name = 'mine'").rows == ((4,),)
    assert isinstance(session.run("DELETE MODEL mine"), Message)
    with pytest.raises(StatementRefused) as raised:
        session.run("DELETE MODEL tutorial_search_clip")
    assert raised.value.sqlstate == "2BP01"
    assert raised.value.offset == len("DELETE MODEL ")


def test_tables_are_listed(session: Session, photo: str) -> None:
    listed = table_of(session, "LIST TABLE")
    assert listed.columns[:2] == ("table_name", "table_schema")
    assert ("photo", "public", PHOTOS, [EMBEDDING]) in listed.rows


def test_several_texts(session: Session, photo: str) -> None:
    both = table_of(session, "SEARCH IMAGE texts=['a cat', 'a dog'] USING tutorial_search_clip AS SELECT * FROM photo")
    assert both.columns[-2:] == (f"{EMBEDDING}_similarity1", f"{EMBEDDING}_similarity2")
    for number, text in enumerate(("a cat", "a dog"), -2):
        one = table_of(session, "SEARCH IMAGE text=$t USING tutorial_search_clip AS SELECT * FROM photo", t=text)
        assert [row[-1] for row in one.rows] == [row[number] for row in both.rows]


def test_a_search_by_picture(session: Session, photo: str, root: Path) -> None:
    similarity = f"{EMBEDDING}_similarity1"
    for statement, parameters in (
        (f"SEARCH IMAGE images='{FOLDER}/photo_11.png' USING tutorial_search_clip AS SELECT * FROM photo", {}),
        (
            "SEARCH IMAGE image=$p USING tutorial_search_clip AS SELECT * FROM photo",
            {"p": (root / FOLDER / "photo_11.png").read_bytes()},
        ),
    ):
        best = session.run(
            f"SELECT photo_id, {similarity} FROM ({statement}) ORDER BY {similarity} DESC LIMIT 1",
            parameters=parameters,
        )
        assert isinstance(best, Table)
        assert best.rows[0][0] == "photo_11"
        assert best.rows[0][1] == pytest.approx(1, abs=1e-6)
    for outside in ("/etc/passwd", "../x.png", "nothing.png"):
        with pytest.raises(SyntaxNotUnderstood) as raised:
            session.run(f"SEARCH IMAGE image='{outside}' USING tutorial_search_clip AS SELECT * FROM photo")
        assert raised.value.offset == len("SEARCH IMAGE image=")


def test_sorted_form(session: Session, photo: str) -> None:
    everything = table_of(session, SEARCH)
    ranked = sorted(((row[-1], row[0]) for row in everything.rows), reverse=True)
    options = "search_by='text', search_input='a black cat', emb_col='tutorial_search_clip_clipen', result_col='score'"
    best = table_of(
        session,
        f"SELECT score, photo_id FROM (SEARCH IMAGE USING tutorial_search_clip OPTIONS({options}, top_k=4) "
        "AS SELECT * FROM photo)",
    )
    assert list(best.rows) == ranked[:4]
    whole = table_of(session, f"SEARCH IMAGE USING tutorial_search_clip OPTIONS({options}) AS SELECT * FROM photo")
    assert [row[-1] for row in whole.rows] == [score for score, _ in ranked]


def test_joined_and_nested(session: Session, photo: str) -> None:
    similarity = f"{EMBEDDING}_similarity1"
    joined = table_of(
        session,
        f"SELECT a.photo_id FROM ({SEARCH}) a JOIN "
        "(SEARCH IMAGE text='x' USING tutorial_search_clip AS SELECT * FROM photo) b "
        f"USING (photo_id) WHERE b.{similarity} > -2 ORDER BY a.{similarity} DESC LIMIT 3",
    )
    plain = table_of(session, f"SELECT photo_id FROM ({SEARCH}) ORDER BY {similarity} DESC LIMIT 3")
    assert joined.rows == plain.rows
    session.run(f"CREATE VIEW best AS SELECT photo_id FROM ({SEARCH}) ORDER BY {similarity} DESC LIMIT 3")
    assert table_of(session, "SELECT * FROM best").rows == plain.rows


def test_values_stay_values(session: Session, photo: str, connection: psycopg.Connection) -> None:
    evil = "'; DROP TABLE photo; --"
    assert table_of(session, "SELECT $a AS a, $n::int + 1 AS n, $b::bool AS b", a=evil, n=np.int64(2), b=None).rows == (
        (evil, 3, None),
    )
    assert table_of(session, "SELECT photo_id FROM photo WHERE photo_id = ANY ($ids)", ids=["photo_01", evil]).rows == (
        ("photo_01",),
    )
    table_of(session, "SEARCH IMAGE text=$a USING tutorial_search_clip AS SELECT * FROM photo", a=evil)
    table_of(session, f'SEARCH IMAGE text="{evil}" USING tutorial_search_clip AS SELECT * FROM photo')
    session.run("CREATE TABLE kept AS SELECT $a AS a", parameters={"a": evil + "\\"})
    assert table_of(session, "SELECT a FROM kept").rows == ((evil + "\\",),)
    for statement in (
        f'SEARCH IMAGE text="a" USING "{evil}" AS SELECT * FROM photo',
        f"COPY t FROM '{evil}'",
        f'SEARCH IMAGE image="{evil}" USING tutorial_search_clip AS SELECT * FROM photo',
        f'PRINT IMAGE OPTIONS(image_col="{evil}") AS SELECT * FROM photo',
        f'CONVERT USING tutorial_search_clip OPTIONS(image_col="{evil}") AS SELECT * FROM photo',
    ):
        with pytest.raises(SyntaxNotUnderstood):
            session.run(statement)
    assert connection.execute("SELECT count(*) FROM photo").fetchone() == (PHOTOS,)


def test_print(session: Session, photo: str, database: Database, settings: Settings) -> None:
    images = session.run("PRINT IMAGE AS SELECT photo_id, image_path FROM photo ORDER BY photo_id DESC LIMIT 3")
    assert isinstance(images, Images)
    assert [picture.source for picture in images.pictures] == [f"{FOLDER}/photo_{n}.png" for n in (29, 28, 27)]
    assert images.pictures[0].label == str(settings.image_root / FOLDER / "photo_29.png")
    named = session.run(
        "PRINT IMAGE OPTIONS(image_col='p') AS SELECT image_path AS p, NULL AS image_path FROM photo LIMIT 1"
    )
    assert isinstance(named, Images)
    assert named.column == "p"
    stored = session.run("PRINT IMAGE AS SELECT '\\x00ff'::bytea AS image")
    assert isinstance(stored, Images)
    assert session.read_picture(stored.pictures[0]) == b"\x00\xff"
    with pytest.raises(SyntaxNotUnderstood, match="has no column image_path"):
        session.run("PRINT IMAGE AS SELECT photo_id, ai_description FROM photo")
    with Session(database.url, settings, most_pictures=10) as short:
        cut = short.run("PRINT IMAGE AS SELECT image_path FROM photo")
    assert isinstance(cut, Images)
    assert (len(cut.pictures), cut.total, cut.notes) == (10, PHOTOS, (f"10 of {PHOTOS} pictures are shown",))
    with pytest.raises(ImageError):
        session.read_picture("../outside.png")


def test_errors_of_the_server_have_their_place(session: Session, photo: str) -> None:
    for statement, state, place, hint in (
        ("SERCH IMAGE text='x'", "42601", "SERCH", "did you mean SEARCH?"),
        ("SELECT * FROM phto", "42P01", "phto", "did you mean photo?"),
        (f"SELECT a FROM ({SEARCH}) WHERE photo_ids = 'x' AND a = 1", "42703", "a FROM", ""),
        (f"SELECT photo_id FROM ({SEARCH}) WHERE photo_ids = 'x'", "42703", "photo_ids", "photo_id"),
        ("SEARCH IMAGE text='a' USING tutorial_search_clip AS SELECT photo_id FROM photo", "42703", "", "SELECT *"),
        ("SELECT 1 / 0", "22012", "", ""),
        ("SELECT $a + 'x'::int", "22P02", "", ""),
    ):
        with pytest.raises(StatementRefused) as raised:
            session.run(statement, parameters={"a": "1"})
        error = raised.value
        assert error.sqlstate == state
        assert statement[error.offset or 0 :].startswith(place)
        assert hint in error.hint
    assert table_of(session, "SELECT 1").rows == ((1,),)


def test_ordinary_sql(session: Session, photo: str) -> None:
    assert session.run("CREATE TABLE a (i int)").status == "CREATE TABLE"
    assert session.run("INSERT INTO a VALUES (1), (2);").status == "INSERT 0 2"
    assert table_of(session, "UPDATE a SET i = i + 1 RETURNING i").rows == ((2,), (3,))
    assert session.run("VACUUM a").status == "VACUUM"
    assert session.run("DO $$ BEGIN RAISE WARNING 'careful'; END $$").warnings == ("careful",)
    session.run("BEGIN")
    session.run("DELETE FROM a")
    session.run("ROLLBACK")
    assert table_of(session, "SELECT count(*) FROM a WHERE '%s' LIKE '%%'").rows == ((2,),)


def test_vocabulary_and_completeness(session: Session, photo: str) -> None:
    words = session.vocabulary()
    assert "tutorial_search_clip" in words.models
    assert "photo" in words.tables
    assert EMBEDDING in words.columns
    assert "search_input" in words.options
    assert "SEARCH" in words.keywords
    assert session.is_complete("SELECT 1")
    assert not session.is_complete("SELECT (1")
    assert not session.is_complete("SELECT 'a")
    assert not session.is_complete("SELECT 1 /* what")


def test_where_there_is_nothing(empty_database: Database, settings: Settings) -> None:
    with pytest.raises(InstallError):
        Session(empty_database.url, settings)
    with pytest.raises(DatabaseUnavailable):
        Session("postgresql://nobody:x@127.0.0.1:1/none", settings)


def test_a_lost_connection_is_opened_again(session: Session, superuser_connection: psycopg.Connection) -> None:
    superuser_connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'thanopg sql'"
    )
    with pytest.raises((DatabaseUnavailable, StatementRefused)):
        session.run("SELECT 1")
    assert table_of(session, "SELECT 1").rows == ((1,),)
