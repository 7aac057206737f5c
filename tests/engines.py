"""SQLAlchemy engines for a test's database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, make_url

from tests.databases import Database


@contextmanager
def engine_of(database: Database) -> Iterator[Engine]:
    engine = create_engine(make_url(database.url).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()
