"""A model whose vectors need no weights, and a table of pictures."""

from __future__ import annotations

import psycopg
import pytest

from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 8


@pytest.fixture
def model(connection: psycopg.Connection) -> FakeEmbedder:
    """Registered as `fake`, without asking a service."""
    embedder = FakeEmbedder(DIMENSIONS)
    connection.execute(
        "INSERT INTO thanopg.model (name, base, source, architecture, dimensions, fingerprint, context_length) "
        "VALUES ('fake', 'fake', %(source)s, %(architecture)s, %(dimensions)s, %(fingerprint)s, %(context_length)s)",
        vars(embedder.info),
    )
    return embedder


@pytest.fixture
def photo(connection: psycopg.Connection, model: FakeEmbedder) -> str:
    """Table photo with 10 rows and the embedding column fake_fake; nothing embedded."""
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text)")
    connection.execute("INSERT INTO photo SELECT i, 'picture/' || i || '.jpg' FROM generate_series(1, 10) i")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    return "photo"
