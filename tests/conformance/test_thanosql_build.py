"""BUILD MODEL and FIT MODEL: from a query's pictures and texts to a model that searches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.databases import Database
from tests.running_service import RunningService
from thanopg.catalog.catalogue import write_catalogue
from thanopg.config import Settings
from thanopg.errors import NotSupported, SyntaxNotUnderstood
from thanopg.models.library import ModelLibrary
from thanopg.thanosql.result import Images, Message, Progress, Table
from thanopg.thanosql.session import Session

FEW, MANY = 40, 2000


@pytest.fixture
def seen() -> list[Progress]:
    return []


@pytest.fixture
def builder(
    database: Database, service: RunningService, library: ModelLibrary, tmp_path: Path, seen: list[Progress]
) -> Iterator[Session]:
    settings = Settings(home=tmp_path / "home", image_root=tmp_path, device="cpu")
    with Session(database.url, settings, library=library, on_progress=seen.append) as made:
        yield made


def recalls(message: Message) -> tuple[float, float]:
    found = re.search(r"from ([0-9.]+) to ([0-9.]+)", message.notes[0])
    assert found is not None
    return float(found[1]), float(found[2])


def test_a_model_is_built_and_searches(
    builder: Session, connection: psycopg.Connection, tmp_path: Path, seen: list[Progress]
) -> None:
    write_catalogue(tmp_path, FEW, 5, processes=1, popular=False)
    (tmp_path / "pictures" / "000007.jpg").write_text("no picture")
    builder.run("COPY product FROM 'products.csv'")
    build = (
        "BUILD MODEL mine USING catalog OPTIONS(text_col='caption_en', max_epochs=1, batch_size=16, overwrite=True) "
    )
    built = builder.run(build + "AS SELECT image_path, caption_en FROM product")
    assert isinstance(built, Message)
    before, after = recalls(built)
    assert 0 <= before <= after <= 1
    assert built.notes[1].startswith("1 pictures could not be used, the first: pictures/000007.jpg")
    assert seen[-1].what == "training mine"
    assert seen[-1].done == seen[-1].total
    assert "validation recall" in seen[-1].note
    ((base, source),) = connection.execute("SELECT base, source FROM thanopg.model WHERE name = 'mine'").fetchall()
    assert base == "catalog"
    directory = Path(source.removeprefix("local-dir:"))
    assert directory.parent == tmp_path / "home" / "models"

    fit = "FIT MODEL mine USING mine OPTIONS(text_col='caption_ko', max_epochs=1, batch_size=16, overwrite=True) "
    builder.run(fit + "AS SELECT * FROM product")
    assert not directory.exists()  # the former one goes
    assert len(list((tmp_path / "home" / "models").iterdir())) == 1

    converted = builder.run("CONVERT USING mine AS SELECT id, image_path FROM product")
    assert isinstance(converted, Table)
    assert sum(row[-1] is not None for row in converted.rows) == FEW - 1
    found = builder.run(
        "PRINT IMAGE AS (SELECT image_path FROM (SEARCH IMAGE text='red dress' USING mine AS SELECT * FROM product) "
        "ORDER BY mine_catalog_similarity1 DESC LIMIT 5)"
    )
    assert isinstance(found, Images)
    assert len(found.pictures) == 5
    with pytest.raises(SyntaxNotUnderstood, match=r"is used by product\.mine_catalog"):
        builder.run(build + "AS SELECT image_path, caption_en FROM product")


def test_what_can_not_be_built(builder: Session, tmp_path: Path) -> None:
    with pytest.raises(SyntaxNotUnderstood, match="expected at least 10 pictures with texts, not 0"):
        builder.run("BUILD MODEL mine USING catalog AS SELECT 'a.jpg' AS image_path, 'text' AS text")
    with pytest.raises(SyntaxNotUnderstood, match="has no column text") as raised:
        builder.run("BUILD MODEL mine USING catalog AS SELECT 'a.jpg' AS image_path, 'x' AS txt")
    assert "did you mean txt?" in raised.value.hint
    builder.run("GET THANOSQL MODEL 'fake:8' AS nothing")
    with pytest.raises(NotSupported):
        builder.run("FIT MODEL mine USING nothing AS SELECT 'a.jpg' AS image_path, 'x' AS text")
    assert not (tmp_path / "home" / "models").exists() or not list((tmp_path / "home" / "models").iterdir())


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_epochs_on_two_thousand_pictures(builder: Session, tmp_path: Path) -> None:
    write_catalogue(tmp_path, MANY, 11, processes=2, popular=False)
    builder.run("COPY product FROM 'products.csv'")
    built = builder.run(
        "BUILD MODEL mine USING catalog OPTIONS(text_col='name', max_epochs=2) AS SELECT * FROM product"
    )
    assert isinstance(built, Message)
    before, after = recalls(built)
    assert after > before
