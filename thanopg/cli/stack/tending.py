"""What only the tables' owner may do: keep the triggers as they must be. The workers of a home own nothing."""

from __future__ import annotations

import logging
import time

import psycopg

from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.errors import ThanopgError

EVERY_SECONDS = 3600.0
logger = logging.getLogger(__name__)


def tend(url: str) -> None:
    """As the owner: put back triggers that a load dropped or switched, and clear those of columns that are gone.

    Each in a transaction of its own, and none waits for a lock. Raises DatabaseUnavailable, psycopg.Error.
    """
    with connect(url, application_name="thanopg up", autocommit=True) as connection:
        connection.execute("SET statement_timeout = '10s'")
        for (embedding,) in connection.execute("SELECT id FROM thanopg.embedding ORDER BY id").fetchall():
            connection.execute("SELECT thanopg.mend_triggers(%s)", [embedding])
        connection.execute("SELECT thanopg.forget_dropped(), thanopg.clear_leftovers()")


class Tending:
    """`look_after` as often as one likes: it tends every hour, beginning an hour after install has done the same."""

    def __init__(self, *, every: float = EVERY_SECONDS) -> None:
        self._every = every
        self._next = time.monotonic() + every

    def look_after(self, server: EmbeddedServer) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every
        try:
            tend(server.url)
        except (ThanopgError, psycopg.Error) as error:  # the server is being started again: the next time then
            logger.warning("triggers were not looked after: %s", str(error).splitlines()[0])
