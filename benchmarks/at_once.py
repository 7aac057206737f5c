"""One statement in many sessions at the same time, without a thread for each of them."""

from __future__ import annotations

import selectors
from collections.abc import Sequence

import psycopg
from psycopg.pq import ExecStatus

from thanopg.database.connect import Connection

PATIENCE = 60.0
"""seconds for any of them to be answered"""


def at_once(sessions: Sequence[Connection], statement: str, values: Sequence[str]) -> list[list[bytes | None]]:
    """Session n runs `statement` with value n as $1; the first row of each. Raises psycopg.Error, TimeoutError."""
    rows: list[list[bytes | None]] = [[] for _ in sessions]
    with selectors.DefaultSelector() as selector:
        for number, (session, value) in enumerate(zip(sessions, values, strict=True)):
            session.pgconn.send_query_params(statement.encode(), [value.encode()])
            selector.register(session.pgconn.socket, selectors.EVENT_READ, number)
        while selector.get_map():
            ready = selector.select(PATIENCE)
            if not ready:
                raise TimeoutError(f"{len(selector.get_map())} sessions are not answered")
            for key, _ in ready:
                connection = sessions[key.data].pgconn
                connection.consume_input()
                while not connection.is_busy():
                    result = connection.get_result()
                    if result is None:
                        selector.unregister(key.fileobj)
                        break
                    if result.status != ExecStatus.TUPLES_OK:
                        raise psycopg.DatabaseError(result.error_message.decode())
                    rows[key.data] = [result.get_value(0, column) for column in range(result.nfields)]
    return rows
