"""Models in the files that the hub has of them, through SQL, service and worker: picture → caption → vector.

Their weights are small: a Qwen2-VL that learned one answer in each language, and a random XLM-RoBERTa as E5 is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.missing_hub import no_network
from tests.running_service import RunningService
from tests.small_captioners import QUESTION, save_qwen
from tests.small_encoders import save_encoder
from tests.working import picture, picture_uri, work_off
from thanopg.models.library import ModelLibrary

pytestmark = pytest.mark.usefixtures("one_thread")
SENTENCE = "빨간 원피스입니다."
ANSWER = f'{SENTENCE} {{"colour": "빨강"}}'


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("published")
    captioner = save_qwen(directory / "qwen", answers={"ko": ANSWER})
    return {"qwen": captioner, "e5": save_encoder(directory / "multilingual-e5-tiny")}


@pytest.fixture
def registered(connection: psycopg.Connection, service: RunningService, sources: dict[str, str]) -> None:
    for name, source in sources.items():
        connection.execute("SELECT create_model(%s, source => %s)", (name, source))


def test_what_the_database_knows_of_them(connection: psycopg.Connection, registered: None) -> None:
    rows = connection.execute(
        "SELECT name, dimensions, can_caption, can_embed_texts, can_embed_images FROM thanopg.model "
        "WHERE name IN ('qwen', 'e5') ORDER BY name"
    ).fetchall()
    assert rows == [("e5", 32, False, True, False), ("qwen", None, True, False, False)]


def test_a_picture_gets_its_caption_its_attributes_and_the_captions_vector(
    connection: psycopg.Connection, database: Database, registered: None, sources: dict[str, str], library: ModelLibrary
) -> None:
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute(
        "SELECT add_caption('photo', 'image_path', 'qwen', language => 'ko', prompt => %s, "
        "attributes_column => 'attributes')",
        [QUESTION],
    )
    connection.execute("SELECT add_text_embedding('photo', 'caption', 'e5', column_name => 'meaning')")
    connection.execute("INSERT INTO photo VALUES (1, %s), (2, %s)", (picture_uri(1), picture_uri(2)))
    assert work_off(database.url).embedded == 4
    rows = connection.execute("SELECT caption, attributes, meaning::real[] FROM photo ORDER BY id").fetchall()
    assert [row[:2] for row in rows] == [(SENTENCE, {"colour": "빨강"})] * 2

    encoder = library.get(sources["e5"])
    np.testing.assert_allclose(np.float32(rows[0][2]), encoder.embed_passages([SENTENCE]).vectors[0], atol=1e-5)
    (asked,) = cast(
        tuple[list[float]], connection.execute("SELECT embed_text(%s, 'e5')::real[]", [SENTENCE]).fetchone()
    )
    np.testing.assert_allclose(np.float32(asked), encoder.embed_texts([SENTENCE]).vectors[0], atol=1e-5)
    assert not np.allclose(asked, rows[0][2], atol=1e-3), "a query is not a passage"


def test_what_they_can_not_do_is_said(connection: psycopg.Connection, registered: None) -> None:
    for statement, words in (
        ("SELECT embed_text('a dress', 'qwen')", "embeds no texts"),
        ("SELECT embed_image(%(picture)s, 'e5')", "embeds no pictures"),
        ("SELECT caption_image(%(picture)s, 'e5')", "writes no captions"),
        ("SELECT caption_image(%(picture)s, 'qwen', 'fr')", "in en, ko, not in 'fr'"),
    ):
        with pytest.raises(psycopg.Error, match=words) as caught:
            connection.execute(statement, {"picture": picture(1)})
        assert caught.value.diag.message_hint


def test_a_hub_name_without_a_network(
    connection: psycopg.Connection, service: RunningService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with no_network(monkeypatch, tmp_path):
        for base, scheme in (("florence2", "transformers"), ("e5", "sentence-transformers")):
            with pytest.raises(psycopg.Error, match="not in the local cache") as caught:
                connection.execute("SELECT create_model(%s)", [base])
            assert f"{scheme}:/path" in (caught.value.diag.message_hint or "")
            assert "\n" not in (caught.value.diag.message_primary or "")
