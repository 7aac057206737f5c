"""Alembic's environment: migrations run on the connection that thanopg's install hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

config = context.config
# a name of our own: thanopg is on the search_path, and a user's Alembic would take ours for its alembic_version
options = {"version_table": "thanopg_version", "version_table_schema": "thanopg", "target_metadata": None}

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", literal_binds=True, transactional_ddl=False, **options)
else:
    context.configure(connection=config.attributes["connection"], **options)

with context.begin_transaction():
    context.run_migrations()
