"""caption_image in SQL: a picture's bytes go to the real service and come back as words."""

from __future__ import annotations

import io

import psycopg
import pytest

from tests.databases import Database
from tests.running_service import RunningService
from thanopg.catalog.captions import names_right
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.draw import draw_product
from thanopg.catalog.phrases import LANGUAGES, Language
from thanopg.catalog.product import Product
from thanopg.database.install import install
from thanopg.models.library import ModelLibrary


@pytest.fixture(scope="module", autouse=True)
def loaded(library: ModelLibrary) -> None:
    """Before the first call, which waits a minute for a model and no longer: this machine may be busy."""
    library.get("catalog")


@pytest.fixture(scope="module")
def dress() -> Product:
    return next(p for p in make_products(200, 3) if (p.category, p.colour) == ("dress", "red"))


@pytest.fixture(scope="module")
def picture(dress: Product) -> bytes:
    file = io.BytesIO()
    draw_product(dress, 256).save(file, "JPEG", quality=90)
    return file.getvalue()


def caption(connection: psycopg.Connection, *arguments: object) -> str:
    places = ", ".join(["%s::bytea", *["%s"] * (len(arguments) - 1)])
    row = connection.execute(f"SELECT caption_image({places})", arguments).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_says_what_the_picture_shows(
    connection: psycopg.Connection, service: RunningService, dress: Product, picture: bytes, language: Language
) -> None:
    found = caption(connection, picture, "catalog", language)
    assert names_right(found, dress.attributes, language, "category", "colour"), found


def test_korean_is_what_it_writes_if_nothing_is_said(
    connection: psycopg.Connection, service: RunningService, picture: bytes
) -> None:
    assert caption(connection, picture, "catalog") == caption(connection, picture, "catalog", "ko")
    assert caption(connection, picture, "catalog", None, None) == caption(connection, picture, "catalog")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="takes no prompt"):
        caption(connection, picture, "catalog", "en", "what is it?")
    named = connection.execute(
        "SELECT caption_image(image => %s::bytea, model => 'catalog', language => 'en')", [picture]
    ).fetchone()
    assert named == (caption(connection, picture, "catalog", "en"),)


def test_models_that_write_no_captions(connection: psycopg.Connection, service: RunningService, picture: bytes) -> None:
    connection.execute("SELECT create_model('fake', source => 'fake:8')")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="writes no captions") as caught:
        caption(connection, picture, "fake")
    assert "catalog" in (caught.value.diag.message_hint or "")


def test_a_captioner_that_came_later_is_seen_by_the_next_install(
    database: Database, connection: psycopg.Connection
) -> None:
    connection.execute("UPDATE thanopg.model SET can_caption = false WHERE name = 'catalog'")
    assert install(database.url).warnings == ()
    assert connection.execute("SELECT can_caption FROM thanopg.model WHERE name = 'catalog'").fetchone() == (True,)


@pytest.mark.parametrize(
    ("arguments", "sqlstate"),
    [
        ((b"picture", "catalog", "fr"), "22023"),
        ((b"picture", "catalog", "en", "what is it?"), "22000"),
        ((None, "catalog"), "22004"),
        ((b"", "catalog"), "22023"),
        ((b"no picture at all", "catalog"), "22000"),
        ((b"picture", "nothing"), "42704"),
        ((b"picture", None), "22004"),
    ],
)
def test_what_is_wrong_with_a_call(
    connection: psycopg.Connection, service: RunningService, arguments: tuple[object, ...], sqlstate: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        caption(connection, *arguments)
    assert caught.value.sqlstate == sqlstate


def test_a_registration_of_other_weights_is_not_mixed_up(
    connection: psycopg.Connection, service: RunningService, picture: bytes
) -> None:
    connection.execute("UPDATE thanopg.model SET fingerprint = repeat('0', 64) WHERE name = 'catalog'")
    with pytest.raises(psycopg.Error) as caught:
        caption(connection, picture, "catalog")
    assert caught.value.sqlstate == "55000"
