"""Alembic's numbered migrations: run inside somebody else's transaction, or written down as a script."""

from __future__ import annotations

import io

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from thanopg.database.files import migrations_directory
from thanopg.database.steps import dollar_quoted
from thanopg.errors import InstallError

SCHEMA = "thanopg"
VERSION_TABLE = "thanopg_version"
UNKNOWN = "schema thanopg is at revision {}, which is newer than this thanopg"
UNKNOWN_HINT = "upgrade thanopg; this one knows the revisions {}"


def upgrade(connection: Connection, revision: str = "head") -> str:
    """Bring the schema to `revision`; the revision that it then has. Raises InstallError for one that is not ours."""
    present = current_revision(connection)
    if present is not None and present not in revisions():
        raise InstallError(UNKNOWN.format(present), hint=UNKNOWN_HINT.format(", ".join(revisions())))
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    return current_revision(connection) or ""


def current_revision(connection: Connection) -> str | None:
    options = {"version_table": VERSION_TABLE, "version_table_schema": SCHEMA}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def revisions() -> list[str]:
    """From the oldest to the newest; they form one line."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def upgrade_script() -> str:
    """SQL that does the same from wherever the schema is: one block, which runs only those that are missing."""
    known = revisions()
    steps = "\n".join(
        f"  IF revision IS NOT DISTINCT FROM {_literal(before)} THEN\n"
        f"    EXECUTE {dollar_quoted(_offline(before, after))};\n"
        f"    revision := {_literal(after)};\n"
        "  END IF;"
        for before, after in zip([None, *known], known, strict=False)
    )
    body = f"""
DECLARE
  revision text;
BEGIN
  IF to_regclass('{SCHEMA}.{VERSION_TABLE}') IS NOT NULL THEN
    SELECT version_num INTO revision FROM {SCHEMA}.{VERSION_TABLE};
  END IF;
  IF revision NOT IN ({", ".join(map(_literal, known))}) THEN
    RAISE EXCEPTION '{UNKNOWN.format("%")}', revision USING
      ERRCODE = 'feature_not_supported', HINT = '{UNKNOWN_HINT.format(", ".join(known))}';
  END IF;
{steps}
END """  # noqa: S608 - revisions and names of ours
    return f"DO {dollar_quoted(body)};\n"


def _offline(before: str | None, after: str) -> str:
    """What Alembic writes for one migration, without transactions of its own."""
    written = io.StringIO()
    config = _config()
    config.output_buffer = written
    command.upgrade(config, f"{before or 'base'}:{after}", sql=True)
    created = f"CREATE TABLE {SCHEMA}.{VERSION_TABLE} ("
    return written.getvalue().replace(created, created.replace("TABLE", "TABLE IF NOT EXISTS"), 1)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _literal(revision: str | None) -> str:
    return "NULL" if revision is None else f"'{revision}'"
