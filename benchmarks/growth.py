"""Whether a row costs the same however many wait: from claim to commit, through one worker and through two.

Pictures are in memory and the model costs nothing; everything between is what users run. Rates go to standard error.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.growth_worker import DIMENSIONS, SOURCE
from benchmarks.measure import Figure, figures_of
from benchmarks.stack import Stack
from thanopg.database.connect import Connection, connect

BATCH = 64
CLAIM = "SELECT count(*) FROM thanopg.claim(%s, gen_random_uuid(), %s, '1 min')"
LOOK = "SELECT * FROM embedding_status"


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """Milliseconds per 1,000 rows, per claim and per look at the status, at each number of pending rows."""
    sizes, rows, rounds = ((10_000, 100_000), 6_400, 2) if quick else ((10_000, 1_000_000), 6_400, 3)
    with connect(stack.url, autocommit=True) as connection:
        connection.execute(f"SELECT create_model('growth', source => '{SOURCE}', base => 'bench')".encode())
        figures = [figure for size in sizes for figure in _at(stack, connection, size, rows=rows, rounds=rounds)]
        connection.execute("DROP TABLE growth_bench")
        connection.execute("SELECT thanopg.forget_dropped()")
    return figures


def _at(stack: Stack, connection: Connection, size: int, *, rows: int, rounds: int) -> list[Figure]:
    refilled = size < 100 * rows
    embedding = _fill(connection, size)
    one, two, claims, looks = list[float](), list[float](), list[float](), list[float]()
    for _ in range(rounds):
        for workers, taken in ((1, one), (2, two)):
            embedding = _fill(connection, size) if refilled else embedding
            taken.append(_work(stack.url, rows, workers=workers))
        claims += [_timed(connection, CLAIM, embedding, BATCH) for _ in range(5)]
        looks += [_timed(connection, LOOK) for _ in range(5)]
        connection.execute(
            "UPDATE thanopg.pending SET claimed_by = NULL, available_at = now() WHERE claimed_by IS NOT NULL"
        )
    for what, taken in (("one worker", one), ("two workers", two)):
        print(f"{size:,} pending, {what}: {1e6 / statistics.median(taken):,.0f} rows a second", file=sys.stderr)
    return figures_of(
        f"growth, {size:,} pending rows x {DIMENSIONS}",
        {
            "1,000 rows, claim to commit, one worker": one,
            "1,000 rows, claim to commit, two workers": two,
        },
    ) + figures_of(
        f"growth, {size:,} pending rows, one statement", {f"claim of {BATCH} rows": claims, "embedding_status": looks}
    )


def _fill(connection: Connection, size: int) -> int:
    """Number of the embedding column of a new table, whose rows are all pending."""
    connection.execute("DROP TABLE IF EXISTS growth_bench")
    connection.execute("SELECT thanopg.forget_dropped()")
    connection.execute("CREATE TABLE growth_bench (id bigint PRIMARY KEY, image_path text)")
    connection.execute("INSERT INTO growth_bench SELECT i, i || '.jpg' FROM generate_series(1, %s) i", (size,))
    connection.execute("SELECT add_image_embedding('growth_bench', 'image_path', 'growth', index => 'none')")
    connection.execute("VACUUM ANALYZE growth_bench, thanopg.pending, thanopg.provenance")
    ((number,),) = connection.execute(
        "SELECT id FROM thanopg.embedding_column WHERE target = 'growth_bench'::regclass"
    ).fetchall()
    return int(number)


def _work(url: str, rows: int, *, workers: int) -> float:
    """Milliseconds for 1,000 rows; processes start before the time counts."""
    command = [sys.executable, "-m", "benchmarks.growth_worker", url, str(rows // workers)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    done = [process.communicate()[0].split() for process in running]
    return 1e6 * max(float(seconds) for _, seconds in done) / sum(int(number) for number, _ in done)


def _timed(connection: Connection, statement: str, *arguments: int) -> float:
    begin = time.perf_counter()
    connection.execute(statement.encode(), arguments or None)
    return (time.perf_counter() - begin) * 1000
