"""Where the shop's database is: THANOPG_DATABASE_URL, as SQLAlchemy writes it."""

from __future__ import annotations

import os

from sqlalchemy import URL, make_url


def database_url() -> URL:
    return make_url(os.environ["THANOPG_DATABASE_URL"]).set(drivername="postgresql+psycopg")
