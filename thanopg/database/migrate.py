"""Alembic's numbered migrations, run inside somebody else's transaction."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from thanopg.database.files import migrations_directory

SCHEMA = "thanopg"
VERSION_TABLE = "thanopg_version"
OLD_VERSION_TABLE = text("SELECT to_regclass('thanopg.alembic_version') IS NOT NULL")
RENAME_VERSION_TABLE = text(
    "ALTER TABLE thanopg.alembic_version RENAME TO thanopg_version; "
    "ALTER TABLE thanopg.thanopg_version RENAME CONSTRAINT alembic_version_pkc TO thanopg_version_pkc"
)
"""it once had the name that every Alembic looks for, and thanopg is on the search_path"""


def upgrade(connection: Connection, revision: str = "head") -> str:
    """Bring the schema to `revision`; the revision that it then has."""
    if connection.execute(OLD_VERSION_TABLE).scalar():
        connection.execute(RENAME_VERSION_TABLE)
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    return current_revision(connection) or ""


def current_revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()
