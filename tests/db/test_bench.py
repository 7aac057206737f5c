"""`thanopg bench`: what it says, that it leaves nothing behind, and what it says where it can't."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg
import pytest

from tests.command import run
from tests.databases import Database
from tests.db.conftest import url_of
from tests.pictures import jpeg, photograph
from thanopg.bench.writing import seconds_per_row
from thanopg.models.fake import FakeEmbedder

COUNTS = """
    SELECT (SELECT count(*) FROM thanopg.model), (SELECT count(*) FROM thanopg.embedding),
           (SELECT count(*) FROM thanopg.pending), to_regclass('thanopg_bench')
"""


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """An environment without a database, and with a cache of its own."""
    return {"THANOPG_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_writing_leaves_nothing(database: Database, connection: psycopg.Connection, photo: str) -> None:
    before = connection.execute(COUNTS).fetchone()
    assert seconds_per_row(database.url, FakeEmbedder(16).info, batch=8) > 0
    assert connection.execute(COUNTS).fetchone() == before


def test_a_registered_model_and_pictures_of_ones_own(
    database: Database, connection: psycopg.Connection, model: FakeEmbedder, nowhere: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "여름 사진"
    folder.mkdir()
    (folder / "바닷가.jpg").write_bytes(jpeg(photograph(40, 40, seed=1)))
    (folder / "망가진.jpg").write_bytes(b"no picture")
    asked = ("bench", "fake", "--seconds", "0.1", "--batch-size", "4", "--decoders", "3", "--pictures", folder)
    done = run(*asked, "--json", "--database-url", database.url, **nowhere)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["model"]["source"] == "fake:8" and report["model"]["fingerprint"] == model.info.fingerprint
    assert report["forward"]["batch"] == 4 and report["decoders"] == 3
    assert report["writing"]["row_ms"] > 0 and report["texts"]["texts_per_second"] > 0
    ((own,), unusable) = report["pictures"], report["unusable"]
    assert own["files"] == 1 and own["images_per_second"] > 0 and unusable == {"not_an_image": 1}
    kept = json.loads((tmp_path / "cache" / "thanopg" / "bench.json").read_text(encoding="utf-8"))
    assert list(kept.values()) == [report]
    said = run(*asked, "--database-url", database.url, **nowhere)
    assert "warning: 1 of the pictures looked at can't be used: 1 not_an_image" in said.stderr
    for words in ("fake (fake:8) on cpu", "1,000,000 take", "vectors of pictures", "ms a row", "yours"):
        assert words in said.stdout, said.stdout


def test_without_a_database(nowhere: dict[str, str]) -> None:
    done = run("bench", "fake:8", "--seconds", "0.1", **nowhere)
    assert done.returncode == 0, done.stderr
    assert "640 × 480" in done.stdout and "12 megapixels" in done.stdout
    assert re.search(r"not measured +\| no database", done.stdout)
    unknown = run("bench", "나의-모델", **nowhere)
    assert unknown.returncode == 1 and unknown.stdout == ""
    error, hint = unknown.stderr.splitlines()
    assert error == "error: unknown base or source '나의-모델', and no database to look it up in"
    assert hint.startswith("hint: bases: clipen")


def test_a_database_where_nothing_may_be_made(
    database: Database, connection: psycopg.Connection, role: str, model: FakeEmbedder, nowhere: dict[str, str]
) -> None:
    done = run("bench", "fake:8", "--seconds", "0.1", "--database-url", url_of(database, role), **nowhere)
    assert done.returncode == 1 and "permission denied" in done.stderr  # to look a model up
    connection.execute(f"GRANT thanopg_reader TO {role}")
    done = run("bench", "fake", "--seconds", "0.1", "--database-url", url_of(database, role), **nowhere)
    assert done.returncode == 0 and "permission denied" in done.stdout
    gone = run("bench", "fake:8", "--database-url", "postgresql://nobody@localhost:1/none", **nowhere)
    assert gone.returncode == 1 and gone.stderr.startswith("error: ") and "hint: " in gone.stderr
