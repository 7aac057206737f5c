"""What search_image costs over dblink, compared with the native function, the query vector being cached."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import psycopg

from benchmarks.measure import Figure, interleave
from benchmarks.stack import Stack
from tests.adapters import install_over
from tests.contrib import Contrib
from tests.databases import Database, clone
from thanopg.database.connect import connect

DIMENSIONS = 512
TEXT = "밝은 빨간색 미니 원피스"
MODEL = "adapter_bench"


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """In two databases of one server; needs what python -m tests.contrib fetches."""
    rows, rounds = 2_000, 500 if quick else 3_000
    if not Contrib().root.is_dir():
        print("dblink is NOT MEASURED: to fetch it, run python -m tests.contrib", file=sys.stderr)
        return []
    with ExitStack() as resources:
        databases = {name: resources.enter_context(clone(stack.server, "template0")) for name in ("native", "dblink")}
        native, dblink = (
            resources.enter_context(_filled(stack, adapter, database, rows)) for adapter, database in databases.items()
        )
        search = f"SELECT * FROM search_image(%s, '{MODEL}')"
        call = f"SELECT embed_text(%s, '{MODEL}')"
        return interleave(
            f"the way to the service: search_image, {rows:,} rows x {DIMENSIONS}, cached query vector",
            {
                "native": lambda: native.execute(search.encode(), (TEXT,)).fetchall(),
                "dblink": lambda: dblink.execute(search.encode(), (TEXT,)).fetchall(),
            },
            rounds=rounds,
        ) + interleave(
            "the way to the service: embed_text alone",
            {
                "native": lambda: native.execute(call.encode(), (TEXT,)).fetchall(),
                "dblink": lambda: dblink.execute(call.encode(), (TEXT,)).fetchall(),
            },
            rounds=rounds,
        )


def _filled(stack: Stack, adapter: str, database: Database, rows: int) -> psycopg.Connection:
    install_over(adapter, stack.server, database, stack.server.service_address)
    connection = connect(database.url, autocommit=True)
    connection.execute(f"SELECT create_model('{MODEL}', source => 'fake:{DIMENSIONS}', base => 'bench')".encode())
    connection.execute("CREATE TABLE adapter_bench (id int PRIMARY KEY, image_path text)")
    connection.execute(f"SELECT add_image_embedding('adapter_bench', 'image_path', '{MODEL}')".encode())
    connection.execute("ALTER TABLE adapter_bench DISABLE TRIGGER USER")
    connection.execute(
        f"INSERT INTO adapter_bench SELECT i, i || '.jpg', embed_text(i::text, '{MODEL}') "
        f"FROM generate_series(1, {rows}) i".encode()
    )
    connection.execute("ANALYZE adapter_bench")
    return connection
