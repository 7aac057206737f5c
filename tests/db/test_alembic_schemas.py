"""Several schemas, odd names, the user's own filters, and our tables, which are nobody's business."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text

from tests.alembic_project import Project, body
from tests.databases import Database
from tests.declared import image, photo
from tests.working import register_fake

EVERY_SCHEMA = ", include_schemas=True"


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def project_of(tmp_path: Path, database: Database, connection: psycopg.Connection, configure: str = "") -> Project:
    register_fake(connection, 8)
    return Project(tmp_path / "migrations", database.url, configure=configure)


def two_schemas(second: str) -> MetaData:
    metadata = photo(image("embedding", "fake"))
    Table(
        "photo",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("image_path", Text),
        image("embedding", "fake", index="none"),
        schema=second,
    )
    return metadata


@pytest.mark.parametrize("schema", ["shop", 'My ":Shop" 100%', "가게"])
def test_tables_of_one_name_in_two_schemas(
    tmp_path: Path, database: Database, connection: psycopg.Connection, schema: str
) -> None:
    connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(schema)))
    project = project_of(tmp_path, database, connection, EVERY_SCHEMA)
    project.models = two_schemas(schema)
    code = project.generate("both")
    assert body(code).count("op.add_image_embedding(") == 2
    assert f"schema={schema!r}" in body(code)
    project.upgrade()
    project.check()
    query = (
        "SELECT relnamespace::regnamespace::text, index_policy FROM thanopg.embedding_column"
        " JOIN pg_class ON pg_class.oid = target"
    )
    places: dict[str, str] = dict(connection.execute(query).fetchall())
    assert len(places) == 2
    assert places["public"] == "now"
    project.downgrade()
    project.upgrade()
    project.check()


def test_a_renamed_schema(tmp_path: Path, database: Database, connection: psycopg.Connection) -> None:
    connection.execute("CREATE SCHEMA shop")
    project = project_of(tmp_path, database, connection, EVERY_SCHEMA)
    project.models = two_schemas("shop")
    project.generate("both")
    project.upgrade()
    connection.execute("ALTER SCHEMA shop RENAME TO store")
    project.models = two_schemas("store")
    project.check()


def test_one_schema_of_several(tmp_path: Path, database: Database, connection: psycopg.Connection) -> None:
    """Without include_schemas others are not looked at, whatever embeddings are there."""
    connection.execute("CREATE SCHEMA shop; CREATE TABLE shop.photo (id int PRIMARY KEY, image_path text)")
    project = project_of(tmp_path, database, connection)
    connection.execute("SELECT add_image_embedding('shop.photo', 'image_path', 'fake')")
    project.models = photo(schema="public")
    project.generate("one")
    project.upgrade()
    project.check()
    project.models = photo(image("embedding", "fake"), schema="public")
    assert body(project.generate("an embedding")).strip() == (
        "op.add_image_embedding('photo', 'image_path', model='fake', column_name='embedding', schema='public')"
    )
    project.upgrade()
    project.check()


@pytest.mark.parametrize("configure", ["", EVERY_SCHEMA])
def test_our_tables_are_not_the_users(
    tmp_path: Path, database: Database, connection: psycopg.Connection, configure: str
) -> None:
    """Not even where the user has tables of the same names."""
    project = project_of(tmp_path, database, connection, configure)
    project.models = MetaData()
    project.check()
    project.models = photo(image("embedding", "fake"), name="model")
    assert "op.create_table('model'" in project.generate("a table called model")
    project.upgrade()
    project.check()
    assert connection.execute("SELECT target::text FROM thanopg.embedding_column").fetchone() == ("model",)
    assert connection.execute("SHOW search_path").fetchone() == ('"$user", public, thanopg',)
    assert connection.execute("SELECT count(*) FROM public.alembic_version").fetchone() == (1,)


FILTER = """, include_object=lambda thing, name, kind, reflected, beside: name != "legacy"
    , include_name=lambda name, kind, parents: not (kind == "column" and name == "by_hand")"""


def test_what_the_user_leaves_out_is_left_alone(
    tmp_path: Path, database: Database, connection: psycopg.Connection
) -> None:
    project = project_of(tmp_path, database, connection, FILTER)
    project.models = photo()
    project.generate("photo")
    project.upgrade()
    connection.execute("CREATE TABLE legacy (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('legacy', 'image_path', 'fake')")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake', 'by_hand')")
    project.check()
