"""Alembic's environment, as `alembic init` writes it but for the address. One line is thanopg's."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from database import database_url
from models import Base
from sqlalchemy import create_engine

import thanopg.alembic  # noqa: F401

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

if context.is_offline_mode():
    context.configure(
        url=database_url(),
        target_metadata=Base.metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(database_url()).connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
