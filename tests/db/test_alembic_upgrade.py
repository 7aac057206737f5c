"""What migrations do to a database: up, down and up again, as a script, over another driver, and where they can't."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from alembic.util import CommandError
from sqlalchemy import Column, MetaData, Text

from tests.alembic_project import Project, body
from tests.databases import Database
from tests.declared import caption, image, photo, text
from tests.schema_dump import comparable_dump, psql
from tests.working import register_fake
from thanopg.database.server import EmbeddedServer


def everything(model: str = "fake") -> MetaData:
    return photo(
        Column("note", Text),
        image("embedding", model, type="halfvec"),
        *caption("caption", "words", prompt="It's 100% :true\\", attributes="facts"),
        text("caption_vector", model),
    )


@pytest.fixture
def project(tmp_path: Path, database: Database, connection: psycopg.Connection) -> Project:
    """Two revisions, generated and applied: everything, then everything with another model."""
    for name, dimensions in (("fake", 8), ("other", 16), ("words", 0)):
        register_fake(connection, dimensions, name)
    made = Project(tmp_path / "migrations", database.url)
    for message, models in (("everything", everything()), ("another model", everything("other"))):
        made.models = models
        made.generate(message)
        made.upgrade()
    return made


def test_up_down_up_leaves_the_same_schema(project: Project, server: EmbeddedServer, database: Database) -> None:
    newest = comparable_dump(server, database.url)
    assert "thanopg_<photo.embedding>_insert" in newest
    assert "halfvec(16)" in newest
    project.downgrade()
    older = comparable_dump(server, database.url)
    assert "halfvec(8)" in older
    project.upgrade()
    assert comparable_dump(server, database.url) == newest
    project.downgrade("base")
    assert "TABLE public.photo" not in comparable_dump(server, database.url)
    project.upgrade("+1")
    # a column that is dropped and added stands behind those that stayed: PostgreSQL has no other place for it
    assert lines(comparable_dump(server, database.url)) == lines(older)
    project.upgrade()
    assert comparable_dump(server, database.url) == newest


def lines(dump: str) -> list[str]:
    return sorted(line.rstrip(",") for line in dump.splitlines())


def test_a_script_does_the_same(
    project: Project, server: EmbeddedServer, database: Database, connection: psycopg.Connection
) -> None:
    there = comparable_dump(server, database.url)
    project.downgrade("base")
    connection.execute("DROP TABLE alembic_version")
    script = project.as_sql()
    down = project.down_as_sql("head:base")
    assert "SELECT thanopg.add_image_embedding('photo'::regclass, 'image_path', 'fake', " in script
    psql(server, database, script)
    assert comparable_dump(server, database.url) == there
    assert connection.execute("SELECT prompt FROM thanopg.embedding_column WHERE kind = 'caption'").fetchone() == (
        "It's 100% :true\\",
    )
    psql(server, database, down)
    assert connection.execute("SELECT to_regclass('photo'), count(*) FROM thanopg.embedding").fetchone() == (None, 0)


def test_asyncpg(tmp_path: Path, database: Database, connection: psycopg.Connection) -> None:
    """As `alembic init -t async` has it."""
    for name, dimensions in (("fake", 8), ("words", 0)):
        register_fake(connection, dimensions, name)
    project = Project(tmp_path / "migrations", database.url, template="async", driver="asyncpg")
    project.models = everything()
    assert "op.add_caption(" in project.generate("everything")
    project.upgrade()
    project.check()
    project.downgrade()
    assert connection.execute("SELECT count(*) FROM thanopg.embedding").fetchone() == (0,)


def test_where_thanopg_is_not_installed(tmp_path: Path, empty_database: Database) -> None:
    project = Project(tmp_path / "migrations", empty_database.url)
    project.models = photo(image("embedding", "fake"))
    with pytest.warns(
        UserWarning, match="thanopg is not installed in this database; before this migration run thanopg"
    ):
        code = project.generate("everything")
    assert "op.add_image_embedding('photo'" in body(code)
    with pytest.raises(CommandError, match="thanopg is not installed in this database; run thanopg install"):
        project.upgrade()


def test_where_an_older_thanopg_is_installed(
    tmp_path: Path, database: Database, connection: psycopg.Connection
) -> None:
    connection.execute("DROP FUNCTION thanopg.made_indexes CASCADE")
    project = Project(tmp_path / "migrations", database.url)
    project.models = photo()
    with pytest.raises(
        CommandError, match=r"can't be read: .*made_indexes.* does not exist; as its owner: thanopg install"
    ):
        project.generate("everything")


def test_a_model_that_nobody_registered(tmp_path: Path, database: Database) -> None:
    project = Project(tmp_path / "migrations", database.url)
    project.models = photo(image("embedding", "siglip2"))
    with pytest.warns(UserWarning, match=r"no model 'siglip2' is registered .* op.create_model\('siglip2', base=…\)"):
        project.generate("everything")


def test_a_model_with_its_migration(
    tmp_path: Path, database: Database, connection: psycopg.Connection, service: object
) -> None:
    """create_model asks the service; dropping and downgrading know the way back."""
    project = Project(tmp_path / "migrations", database.url)
    project.models = MetaData()
    project.write("op.create_model('shop', base='catalog')", "op.drop_model('shop', base='catalog')")
    project.upgrade()
    query = "SELECT base, source FROM thanopg.model WHERE name = 'shop'"
    assert connection.execute(query).fetchone() == ("catalog", "bundled:catalog")
    project.downgrade()
    assert connection.execute(query).fetchone() is None
