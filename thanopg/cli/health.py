"""What is known of one database and of what works on it, as one plain value. What is down is a value too."""

from __future__ import annotations

import json
import time
from typing import Any

import psycopg
from psycopg.rows import dict_row

from thanopg.cli.failure import failure_of
from thanopg.config import Settings
from thanopg.database.connect import connect
from thanopg.errors import ThanopgError

Report = dict[str, Any]

PROBE = "3s"
"""as long as service and models may take to answer"""
MOST_FAILURES = 10
EMBEDDINGS = """
    SELECT target::text AS "table", column_name AS "column", model, rows, embedded, pending, failed, rate,
           extract(epoch FROM time_left)::float AS seconds_left, index, kind, source, chain, estimated
    FROM thanopg.embedding_status ORDER BY 1, 2
"""
MODELS = """
    SELECT m.name, m.base, m.source, m.dimensions, m.fingerprint,
           EXISTS (SELECT FROM thanopg.embedding_column c WHERE c.model = m.name) AS used
    FROM thanopg.model m ORDER BY m.name
"""
FAILURES = """
    SELECT target::text AS "table", column_name AS "column", error_type AS error, count(*) AS rows,
           count(*) FILTER (WHERE next_attempt_at IS NOT NULL) AS tried_again,
           count(*) FILTER (WHERE next_attempt_at IS NULL) AS set_aside, min(error_text) AS example
    FROM thanopg.failure GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""
SERVER = """
    SELECT current_setting('server_version') AS version, current_database() AS database,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS pgvector,
           to_regclass('thanopg.embedding_status') IS NOT NULL AS installed,
           'thanopg' = ANY (current_schemas(false)) AS short_names
"""


def examine(url: str) -> Report:
    """Everything that the database can say. Raises DatabaseUnavailable."""
    with connect(url, application_name="thanopg status", autocommit=True) as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]  # rows are named here
        database = _rows(connection, SERVER)[0]
        report: Report = {"database": {"reachable": True, **database}}
        if not database["installed"]:
            return report
        report["service"] = _service(connection)
        report["workers"] = _rows(connection, "SELECT thanopg.worker_count() AS number")[0]["number"]
        answers = report["service"]["reachable"]
        report["models"] = [
            {**model, "health": _health(connection, model) if answers and model["used"] else None}
            for model in _rows(connection, MODELS)
        ]
        report["embeddings"] = _rows(connection, EMBEDDINGS)
        report["failures"] = _rows(connection, FAILURES)[:MOST_FAILURES]
    return report


def unreachable(error: ThanopgError) -> Report:
    return {"database": {"reachable": False, "error": error.message, "hint": error.hint}}


def stack_of(settings: Settings) -> Report | None:
    """The processes of the home; None when another database is meant."""
    from thanopg.cli.stack.state import StateFile, is_held

    if settings.database_url is not None:
        return None
    held = is_held(settings.home)
    state = StateFile(settings.home).read() if held else None
    return {
        "home": str(settings.home),
        "running": held,
        "pid": state.supervisor.pid if state else None,
        "image_root": state.image_root if state else None,
        "processes": {name: child.pid for name, child in state.children.items() if child.alive} if state else {},
    }


def _service(connection: psycopg.Connection[Any]) -> Report:
    try:
        _ask(connection, "SELECT 1")  # connects
        begin = time.perf_counter()
        _ask(connection, "SELECT 1")
    except psycopg.Error as error:
        failure = failure_of(error)
        return {"reachable": False, "error": failure.message, "detail": failure.detail, "hint": failure.hint}
    return {"reachable": True, "milliseconds": round(1000 * (time.perf_counter() - begin), 1)}


def _health(connection: psycopg.Connection[Any], model: Report) -> str:
    """`ok`, or what the service says instead."""
    request = psycopg.sql.SQL("SELECT describe_model({})").format(psycopg.sql.Literal(model["source"]))
    try:
        info = json.loads(_ask(connection, request.as_string(connection)))
    except psycopg.errors.QueryCanceled:
        return "loading"
    except psycopg.Error as error:
        return failure_of(error).message
    if info.get("fingerprint") != model["fingerprint"]:
        return "the service has other weights than the registered ones"
    return "ok"


def _ask(connection: psycopg.Connection[Any], request: str) -> str:
    """One call of the service as the database makes it."""
    with connection.transaction():
        connection.execute(f"SET LOCAL statement_timeout = '{PROBE}'")
        rows = _rows(connection, "SELECT thanopg.service_call(%s) AS answer", request)
    return str(rows[0]["answer"])


def _rows(connection: psycopg.Connection[Any], query: str, *arguments: Any) -> list[Report]:
    return list(connection.execute(query.encode(), arguments or None).fetchall())
