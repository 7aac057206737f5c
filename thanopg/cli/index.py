"""`thanopg index`: builds the vector indexes that were put off, without stopping anybody's reads or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from thanopg.cli.options import with_settings
from thanopg.config import Settings

if TYPE_CHECKING:
    from thanopg.database.connect import Connection

EPILOG = """\b
Examples:
  thanopg index                      every embedding column that has none yet
  thanopg index photo                only those of table photo
"""
WANTED = """
    SELECT c.id, format('%%s.%%I', c.target, c.column_name), s.index, s.pending
    FROM thanopg.embedding_column c
    JOIN thanopg.embedding_status s ON s.target = c.target AND s.column_name = c.column_name
    WHERE (%(target)s::text IS NULL OR c.target = to_regclass(%(target)s))
      AND c.kind <> 'caption' AND (s.index IN ('missing', 'invalid') OR (s.index = 'none' AND %(target)s IS NOT NULL))
    ORDER BY c.id
"""
INVALID = """
    SELECT x.indexrelid::regclass::text
    FROM pg_index x
    JOIN thanopg.embedding_column c ON c.target = x.indrelid
    WHERE c.id = %s AND NOT x.indisvalid
      AND (x.indkey[0] = thanopg.column_number(c.target, c.column_name)
           OR thanopg.is_binary_index(x.indexrelid, c.column_name))
"""
BUILDING = """
    SELECT coalesce(phase, ''), CASE WHEN tuples_total > 0 THEN 100.0 * tuples_done / tuples_total
                                     WHEN blocks_total > 0 THEN 100.0 * blocks_done / blocks_total ELSE 0 END
    FROM pg_stat_progress_create_index WHERE pid = %s
"""
EMBEDDED = (
    "SELECT FROM thanopg.embedding_column WHERE %(target)s::text IS NULL OR target = to_regclass(%(target)s) LIMIT 1"
)
MAKE_ROOM = """
    WITH need AS (
      SELECT %(shared)s + (1.05 * coalesce(s.rows, 0) * (%(row)s + CASE
               WHEN c.index_policy = 'binary' THEN m.dimensions / 8
               WHEN c.type LIKE '%%halfvec%%' THEN 2 * m.dimensions
               ELSE 4 * m.dimensions END))::bigint AS bytes
      FROM thanopg.embedding_column c
      JOIN thanopg.model m ON m.name = c.model
      JOIN thanopg.embedding_status s ON s.target = c.target AND s.column_name = c.column_name
      WHERE c.id = %(embedding)s
    )
    SELECT set_config('maintenance_work_mem', room / 1024 || 'kB', false),
           set_config('max_parallel_maintenance_workers', greatest(
             current_setting('max_parallel_maintenance_workers')::int,
             current_setting('max_parallel_workers')::int / 2)::text, false),
           CASE WHEN bytes > room THEN pg_size_pretty(bytes) END, pg_size_pretty(room)
    FROM need CROSS JOIN LATERAL (SELECT greatest(
      pg_size_bytes(current_setting('maintenance_work_mem')),
      least(bytes, pg_size_bytes(current_setting('effective_cache_size')) / 4))) given(room)
"""
"""for this session: as much memory as the graph needs, up to a quarter of what the server may take for a cache"""
ROOM = {"row": 700, "shared": 5 * 1024**2}
"""bytes beside each row's vector, with the links that HNSW gives it by default, and once [of pgvector 0.8]"""
SLOW = "what goes beyond takes many times longer; ALTER DATABASE … SET maintenance_work_mem gives it more"
POLL_SECONDS = 0.5


def register(app: typer.Typer) -> None:
    app.command(epilog=EPILOG)(index)


@with_settings("home", "database_url", "verbose")
def index(
    settings: Settings,
    table: Annotated[
        str | None, typer.Argument(help="Only this table's, also those asked for without an index.")
    ] = None,
) -> None:
    """Build the HNSW indexes that are missing or broken, with CREATE INDEX CONCURRENTLY.

    Run it as the tables' owner, best after the rows are embedded: one build is faster than many inserts.
    """
    import sys

    from thanopg.cli.target import database_url
    from thanopg.database.connect import connect
    from thanopg.errors import InvalidArgument

    url = database_url(settings)
    with connect(url, application_name="thanopg index", autocommit=True) as connection:
        if table is not None and connection.execute("SELECT to_regclass(%s)", [table]).fetchone() == (None,):
            raise InvalidArgument(f"no table {table!r}", hint='write it as SQL does: schema.table, or "Weird name"')
        if connection.execute(EMBEDDED, {"target": table}).fetchone() is None:
            where = f"table {table!r}" if table is not None else "this database"
            raise InvalidArgument(
                f"{where} has no embedding column",
                hint="add one with: SELECT add_image_embedding('table', 'image_column', 'model')",
            )
        wanted = connection.execute(WANTED, {"target": table}).fetchall()
        if not wanted:
            print("every embedding column has its index", file=sys.stderr)
        for number, label, state, pending in wanted:
            if pending:
                print(f"note: {pending} rows of {label} are still pending", file=sys.stderr)
            build(url, connection, number, label, state)


def build(url: str, connection: Connection, number: int, label: str, state: str) -> None:
    """Raises psycopg.Error, DatabaseUnavailable."""
    import sys

    import psycopg

    if state == "invalid":  # what an interrupted build leaves
        drop_invalid(connection, number)
    for _, _, needed, room in connection.execute(MAKE_ROOM, {**ROOM, "embedding": number}).fetchall():
        if needed is not None:
            print(f"note: the graph of {label} takes {needed} and has room for {room}: {SLOW}", file=sys.stderr)
    row = connection.execute("SELECT thanopg.index_statement(%s, true)", [number]).fetchone()
    assert row is not None
    statement: Any = str(row[0]).encode()
    with progress_of(url, connection.info.backend_pid, label):
        try:
            connection.execute(statement)
        except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory):
            # workers share their memory in /dev/shm, which is small in a container
            drop_invalid(connection, number)
            connection.execute("SET max_parallel_maintenance_workers = 0")
            connection.execute(statement)
    connection.execute("RESET max_parallel_maintenance_workers; RESET maintenance_work_mem")


def drop_invalid(connection: Connection, number: int) -> None:
    from psycopg import sql

    for (name,) in connection.execute(INVALID, [number]).fetchall():
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.SQL(name)))


def progress_of(url: str, pid: int, label: str) -> Any:
    """A bar that follows the build from a connection of its own."""
    import threading
    from contextlib import contextmanager

    from thanopg.cli.progress import Bar
    from thanopg.cli.screen import Screen
    from thanopg.database.connect import connect

    @contextmanager
    def following() -> Any:
        over = threading.Event()

        def follow(bar: Bar) -> None:
            with connect(url, application_name="thanopg index", autocommit=True) as observer:
                while not over.wait(POLL_SECONDS):
                    row = observer.execute(BUILDING, [pid]).fetchone()
                    if row is not None:
                        bar.set(float(row[1]), note=str(row[0]))

        with Bar(Screen(), f"index of {label}", total=100, unit="%") as bar:
            thread = threading.Thread(target=follow, args=(bar,), daemon=True)
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join(5)
            bar.set(100, note="done")

    return following()
