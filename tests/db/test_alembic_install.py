"""op.install_thanopg(): the whole of install within a user's migration, and what a user's Alembic finds afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.util import CommandError
from psycopg import Connection
from sqlalchemy import MetaData

from tests.alembic_project import Project
from tests.databases import Database
from tests.declared import image, photo
from tests.schema_dump import dump, psql
from thanopg.database.connect import connect
from thanopg.database.install import install
from thanopg.database.server import EmbeddedServer

ALL_AT_ONCE = """\
from alembic import context
online = not context.is_offline_mode()
path = op.get_bind().scalar(sa.text("SHOW search_path")) if online else None
op.install_thanopg()
op.create_table("photo", sa.Column("id", sa.Integer, primary_key=True), sa.Column("image_path", sa.Text))
op.add_image_embedding("photo", "image_path", model="catalog", column_name="embedding")
assert not online or op.get_bind().scalar(sa.text("SHOW search_path")) == path
assert context.get_context().bind is op.get_bind()"""
UNDONE = """\
op.drop_embedding("photo", "embedding")
op.drop_table("photo")"""


@pytest.fixture
def bare(empty_database: Database) -> Database:
    """With what an administrator must do, and nothing else."""
    with connect(empty_database.superuser_url) as superuser:
        superuser.execute("CREATE EXTENSION vector")
    return empty_database


@pytest.mark.filterwarnings("ignore:thanopg. neither the native function nor dblink")
def test_install_is_part_of_a_migration(tmp_path: Path, bare: Database, server: EmbeddedServer) -> None:
    project = Project(tmp_path / "migrations", bare.url)
    project.models = photo(image("embedding", "catalog"))
    project.write(ALL_AT_ONCE, UNDONE)
    project.upgrade()
    with connect(bare.url) as connection:
        assert connection.execute("SELECT column_name FROM thanopg.embedding_column").fetchone() == ("embedding",)
    there = dump(server, bare.url)
    install(bare.url)
    assert dump(server, bare.url) == there
    project.check()
    project.downgrade()
    project.upgrade()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, bare: Database) -> None:
    project = Project(tmp_path / "migrations", bare.url)
    project.models = MetaData()
    project.write("op.install_thanopg()\nraise RuntimeError('later')", "pass")
    with pytest.raises(RuntimeError, match="later"), pytest.warns(UserWarning, match="neither the native function"):
        project.upgrade()
    with connect(bare.url) as connection:
        assert connection.execute("SELECT to_regnamespace('thanopg')").fetchone() == (None,)


def test_what_install_refuses_is_one_line(tmp_path: Path, empty_database: Database) -> None:
    project = Project(tmp_path / "migrations", empty_database.url)
    project.models = MetaData()
    project.write("op.install_thanopg()", "pass")
    with pytest.raises(
        CommandError, match=r"extension vector is missing .* as an administrator: CREATE EXTENSION vector"
    ):
        project.upgrade()


def test_as_a_script(tmp_path: Path, bare: Database, server: EmbeddedServer) -> None:
    project = Project(tmp_path / "migrations", bare.url)
    project.models = photo(image("embedding", "catalog"))
    project.write(ALL_AT_ONCE, UNDONE)
    psql(server, bare, project.as_sql())
    there = dump(server, bare.url)
    project.check()
    install(bare.url)
    assert dump(server, bare.url) == there


def test_the_services_address(
    tmp_path: Path, database: Database, server: EmbeddedServer, connection: Connection
) -> None:
    project = Project(tmp_path / "migrations", database.url)
    project.models = MetaData()
    for port in (6001, 6002):
        address = f"ServiceAddress(host='10.0.0.7', port={port}, password=\"it's :secret\")"
        imported = "from thanopg.database.service_address import ServiceAddress"
        project.write(f"{imported}\nop.install_thanopg(service={address})", "pass")
    project.upgrade("+1")
    assert address_of(connection) == ("10.0.0.7", "6001", "it's :secret")
    psql(server, database, project.as_sql(f"{project.revisions[0]}:head"))
    assert address_of(connection) == ("10.0.0.7", "6002", "it's :secret")


def address_of(connection: Connection) -> tuple[object, ...] | None:
    return connection.execute(
        "SELECT (SELECT option_value FROM pg_options_to_table(srvoptions) WHERE option_name = 'host'), "
        "(SELECT option_value FROM pg_options_to_table(srvoptions) WHERE option_name = 'port'), "
        "(SELECT option_value FROM pg_options_to_table(umoptions) WHERE option_name = 'password') "
        "FROM pg_foreign_server s JOIN pg_user_mappings m ON m.srvid = s.oid WHERE s.srvname = 'thanopg_service'"
    ).fetchone()


def test_the_users_version_table_is_not_ours(tmp_path: Path, database: Database, connection: Connection) -> None:
    """Also after an upgrade from when ours had the same name, and was on the search_path as well."""
    project = Project(tmp_path / "migrations", database.url)
    project.models = MetaData()
    project.write("pass", "pass")
    project.upgrade()
    assert connection.execute("SELECT version_num FROM public.alembic_version").fetchall() == [(project.revisions[0],)]
    connection.execute(
        "ALTER TABLE thanopg.thanopg_version RENAME TO alembic_version; "
        "ALTER TABLE thanopg.alembic_version RENAME CONSTRAINT thanopg_version_pkc TO alembic_version_pkc"
    )
    report = install(database.url)
    assert connection.execute("SELECT version_num FROM thanopg.thanopg_version").fetchall() == [(report.revision,)]
    assert connection.execute("SELECT to_regclass('thanopg.alembic_version')").fetchone() == (None,)
