"""set_index: the index comes and goes, the vectors and what a user put beside it stay."""

from __future__ import annotations

import psycopg
import pytest

from thanopg.models.fake import FakeEmbedder


def indexes(connection: psycopg.Connection) -> set[str]:
    rows = connection.execute("SELECT indexname::text FROM pg_indexes WHERE tablename = 'photo'")
    return {name for (name,) in rows} - {"photo_pkey"}


def policy(connection: psycopg.Connection) -> tuple[object, ...] | None:
    return connection.execute("SELECT index_policy FROM thanopg.embedding_column").fetchone()


def test_it_comes_and_goes(connection: psycopg.Connection, photo: str) -> None:
    (made,) = indexes(connection)
    connection.execute("CREATE INDEX mine ON photo USING hnsw (fake_fake vector_l2_ops)")
    connection.execute("SELECT set_index('photo', 'fake_fake', 'none')")
    assert (policy(connection), indexes(connection)) == (("none",), {"mine"})
    connection.execute("SELECT set_index('photo', 'fake_fake', 'later')")
    assert (policy(connection), indexes(connection)) == (("later",), {"mine"})
    connection.execute("SELECT set_index('photo', 'fake_fake', 'auto')")
    assert (policy(connection), indexes(connection)) == (("now",), {"mine", made})
    connection.execute("SELECT set_index('photo', 'fake_fake', 'later')")
    assert indexes(connection) == {"mine", made}, "what is built is kept"


def test_a_column_that_is_let_go_keeps_no_index_of_ours(connection: psycopg.Connection, photo: str) -> None:
    connection.execute("SELECT drop_embedding('photo', 'fake_fake', keep_column => true)")
    assert indexes(connection) == set()


def test_what_it_refuses(connection: psycopg.Connection, photo: str, captioner: FakeEmbedder) -> None:
    connection.execute("SELECT add_caption('photo', 'image_path', 'words')")
    with pytest.raises(psycopg.errors.WrongObjectType, match=r"photo\.caption is a caption, which has no vector index"):
        connection.execute("SELECT set_index('photo', 'caption', 'now')")
    with pytest.raises(
        psycopg.errors.InvalidParameterValue, match="index is auto, now, later, binary or none, not 'soon'"
    ):
        connection.execute("SELECT set_index('photo', 'fake_fake', 'soon')")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        connection.execute("SELECT set_index('photo', 'nothing', 'now')")
