"""A model whose vectors need no weights, and a table of pictures."""

from __future__ import annotations

import psycopg
import pytest

from tests.working import register_fake
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
