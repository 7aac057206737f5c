"""add_caption: what it makes, what it refuses, what it leaves; and models that write captions and nothing else."""

from __future__ import annotations

import psycopg
import pytest

from tests.running_service import RunningService
from thanopg.models.fake import FakeEmbedder


@pytest.fixture
def photo(connection: psycopg.Connection, model: FakeEmbedder, captioner: FakeEmbedder) -> str:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, 설명 text, note text)")
    connection.execute("INSERT INTO photo VALUES (1, 'a.jpg'), (2, 'b.jpg')")
    return "photo"


def columns(connection: psycopg.Connection) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
            "WHERE attrelid = 'photo'::regclass AND attnum > 0 AND NOT attisdropped"
        ).fetchall()
    )


def test_columns_triggers_and_work(connection: psycopg.Connection, photo: str) -> None:
    made = connection.execute(
        "SELECT add_caption('photo', 'image_path', 'words', language => 'en', prompt => 'say it', "
        "attributes_column => '속성')"
    ).fetchone()
    assert made == ("caption",)
    assert {name: columns(connection)[name] for name in ("caption", "속성")} == {"caption": "text", "속성": "jsonb"}
    entry = connection.execute(
        "SELECT kind, type, index_policy, dimensions, language, prompt, attributes_name FROM thanopg.embedding_column"
    ).fetchone()
    assert entry == ("caption", "text", "none", None, "en", "say it", "속성")
    status = connection.execute("SELECT rows, embedded, pending, index, kind, source, chain FROM embedding_status")
    assert status.fetchone() == (2, 0, 2, "none", "caption", "image_path", "image_path → caption")
    assert connection.execute("SELECT thanopg.index_statement(1)").fetchone() == (None,)
    enabled = connection.execute("SELECT tgenabled FROM pg_trigger WHERE tgname LIKE 'thanopg_%'").fetchall()
    assert enabled == [("A",)] * 2


@pytest.mark.parametrize(
    ("call", "sqlstate", "words"),
    [
        ("add_caption('photo', 'image_path', 'fake')", "0A000", "'fake' writes no captions"),
        ("add_image_embedding('photo', 'image_path', 'words')", "0A000", "'words' makes no vectors of pictures"),
        ("add_text_embedding('photo', 'note', 'words')", "0A000", "'words' makes no vectors of texts"),
        ("add_caption('photo', 'image_path', 'words', language => 'fr')", "22023", "writes captions in ko, en, not in"),
        ("add_caption('photo', 'image_path', 'words', prompt => ' ')", "22023", "the prompt is empty"),
        ("add_caption('photo', 'image_path', 'words', attributes_column => 'caption')", "42701", "a column each"),
        ("add_caption('photo', 'image_path', 'words', column_name => NULL)", "22004", "column name is null"),
        ("add_caption('photo', 'id', 'words')", "42804", "expected text or bytea"),
        ("add_caption(NULL, 'image_path', 'words')", "22004", "the table is null"),
        ("add_caption('photo', 'image_path', NULL)", "22004", "the model is null"),
    ],
)
def test_refusals(connection: psycopg.Connection, photo: str, call: str, sqlstate: str, words: str) -> None:
    with pytest.raises(psycopg.Error, match=words) as refused:
        connection.execute(f"SELECT {call}".encode())
    assert refused.value.sqlstate == sqlstate
    if sqlstate == "0A000":
        assert "these do: " in (refused.value.diag.message_hint or "")
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)


def test_search_has_nothing_to_do_with_captions(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words')")
    with pytest.raises(psycopg.errors.UndefinedColumn, match="no embedding column of images"):
        connection.execute("SELECT search_sql('x', 'words')")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("SELECT add_text_embedding('photo', 'caption', 'fake')")
    found = connection.execute("SELECT search_sql('x', 'fake')").fetchone()
    assert found is not None and "fake_fake" in found[0] and "fake_fake_caption" not in found[0]


def test_drop_takes_the_attributes_along(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', attributes_column => '속성')")
    connection.execute("SELECT drop_embedding('photo', 'caption')")
    assert set(columns(connection)) == {"id", "image_path", "설명", "note"}
    assert connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'thanopg_%'").fetchone() == (0,)
    connection.execute("SELECT drop_model('words')")


def test_a_column_may_be_kept(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', attributes_column => '속성')")
    connection.execute("UPDATE photo SET caption = '손으로 쓴 설명'")
    connection.execute("SELECT drop_embedding('photo', 'caption', keep_column => true)")
    assert connection.execute("SELECT DISTINCT caption FROM photo").fetchall() == [("손으로 쓴 설명",)]
    assert "속성" in columns(connection)
    assert connection.execute("SELECT count(*) FROM thanopg.pending").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'thanopg_%'").fetchone() == (0,)
    left = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'photo'::regclass AND attacl <> '{}'"
    assert connection.execute(left).fetchone() == (0,)


def test_the_worker_s_rights_go_with_each_column(connection: psycopg.Connection, photo: str) -> None:
    def rights() -> set[str]:
        rows = connection.execute(
            "SELECT attname FROM pg_attribute "
            "WHERE attrelid = 'photo'::regclass AND attacl::text LIKE '%thanopg_worker%'"
        )
        return {name for (name,) in rows.fetchall()}

    connection.execute("SELECT add_caption('photo', 'image_path', 'words', '설명2', attributes_column => '속성')")
    connection.execute(
        "SELECT add_text_embedding('photo', '설명2', 'fake', 'v'), add_text_embedding('photo', 'note', 'fake')"
    )
    assert rights() == {"ctid", "id", "image_path", "설명2", "속성", "v", "note", "fake_fake_note"}
    connection.execute("SELECT drop_embedding('photo', '설명2', keep_column => true)")
    assert rights() == {"ctid", "id", "설명2", "v", "note", "fake_fake_note"}
    connection.execute("SELECT drop_embedding('photo', 'v')")
    assert rights() == {"ctid", "id", "note", "fake_fake_note"}


def test_renamed_and_dropped_attributes_are_followed(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words', attributes_column => '속성')")
    connection.execute('ALTER TABLE photo RENAME 속성 TO "At ""tributes"')
    connection.execute("SELECT thanopg.reconcile(1)")
    names = (
        "SELECT e.attributes_name, c.attributes_name "
        "FROM thanopg.embedding e JOIN thanopg.embedding_column c USING (id)"
    )
    assert connection.execute(names).fetchone() == ('At "tributes', 'At "tributes')
    connection.execute('ALTER TABLE photo DROP COLUMN "At ""tributes"')
    connection.execute("SELECT thanopg.reconcile(1)")
    assert connection.execute(names).fetchone() == (None, None)  # the captions go on


def test_the_service_says_what_a_model_can_do(connection: psycopg.Connection, service: RunningService) -> None:
    connection.execute("SELECT create_model('words', source => 'fake:0')")
    described = (
        "SELECT dimensions, can_caption, can_embed_texts, can_embed_images, languages FROM thanopg.model "
        "WHERE name = %s"
    )
    assert connection.execute(described, ["words"]).fetchone() == (None, True, False, False, ["ko", "en"])
    assert connection.execute(described, ["catalog"]).fetchone() == (128, True, True, True, ["ko", "en"])
    connection.execute("SELECT create_model('plain', source => 'fake:8')")
    assert connection.execute(described, ["plain"]).fetchone() == (8, False, True, True, None)


def test_an_older_service_says_less(connection: psycopg.Connection) -> None:
    row = connection.execute(
        "SELECT can_caption, can_embed_texts, can_embed_images, languages, dimensions "
        "FROM thanopg.described_model('m', 'm', "
        '\'{"source": "s", "architecture": "a", "dimensions": 8, "fingerprint": "f", "context_length": 77}\')'
    ).fetchone()
    assert row == (False, True, True, None, 8)
