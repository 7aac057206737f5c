"""A model whose vectors need no weights, tables of pictures, mapped classes whose rows have vectors, a role."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests import photo_model
from tests.databases import Database, clone
from tests.db.shop import Shop, make_shop
from tests.engines import engine_of
from tests.running_service import RunningService
from tests.working import register_fake
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 8


@pytest.fixture
def model(connection: psycopg.Connection) -> FakeEmbedder:
    """Registered as `fake`, without asking a service."""
    return register_fake(connection, DIMENSIONS)


@pytest.fixture
def captioner(connection: psycopg.Connection) -> FakeEmbedder:
    """Registered as `words`: it writes captions and makes no vectors."""
    return register_fake(connection, 0, "words")


@pytest.fixture
def photo(connection: psycopg.Connection, model: FakeEmbedder) -> str:
    """Table photo with 10 rows and the embedding column fake_fake; nothing embedded."""
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text)")
    connection.execute("INSERT INTO photo SELECT i, 'picture/' || i || '.jpg' FROM generate_series(1, 10) i")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    return "photo"


@pytest.fixture(scope="session")
def photo_rows(server: EmbeddedServer, template: str, service: RunningService) -> Iterator[Database]:
    """The rows of `tests.photo_model`: for tests that leave them as they are."""
    with clone(server, template) as made, connect(made.url, autocommit=True) as connection:
        connection.execute(f"SELECT create_model('fake', source => 'fake:{photo_model.DIMENSIONS}', base => 'base')")
        with engine_of(made) as engine:
            photo_model.Base.metadata.create_all(engine)
        photo_model.fill(connection)
        yield made


@pytest.fixture
def photo_engine(photo_rows: Database) -> Iterator[Engine]:
    with engine_of(photo_rows) as made:
        yield made


@pytest.fixture
def photo_session(photo_engine: Engine) -> Iterator[Session]:
    """In which no index is used, for an index is approximate."""
    with Session(photo_engine) as made:
        made.execute(text("SET enable_indexscan = off"))
        made.commit()
        yield made


@pytest.fixture
def photo_vectors() -> NDArray[np.float32]:
    """Those of the photos."""
    return photo_model.unit_vectors()


# --- roles ---


@pytest.fixture
def role(database: Database, superuser_connection: psycopg.Connection) -> Iterator[str]:
    """Logs in, may nothing."""
    name = f"app_{database.name}"
    superuser_connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    yield name
    superuser_connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.fixture
def session(database: Database, role: str) -> Iterator[psycopg.Connection]:
    with connect(url_of(database, role), autocommit=True) as made:
        yield made


@pytest.fixture
def three_photos(connection: psycopg.Connection, service: RunningService) -> str:
    """Table photo: row 1 has a vector, row 2 waits, row 3 has failed with a text."""
    connection.execute("SELECT create_model('fake', source => 'fake:8', base => 'base')")
    connection.execute("SELECT create_model('words', source => 'fake:0')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, seller text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("INSERT INTO photo VALUES (1, 'a.jpg', 'kim', array_fill(0.5::real, ARRAY[8])::vector)")
    connection.execute("INSERT INTO photo VALUES (2, 'b.jpg', 'kim'), (3, 'secret.jpg', 'lee')")
    connection.execute("DELETE FROM thanopg.pending WHERE key = '[1]'")
    connection.execute(
        "UPDATE thanopg.pending SET error_type = 'missing', error_text = 'secret', attempts = 6, failed_at = now(), "
        "available_at = 'infinity' WHERE key = '[3]'"
    )
    return "photo"


def url_of(database: Database, role: str) -> str:
    return database.url.replace(database.url.split("//")[1].split("@")[0], f"{role}:x")


@pytest.fixture
def shop(connection: psycopg.Connection, service: RunningService) -> Shop:
    """Table photo, for searches by every method."""
    return make_shop(connection)
