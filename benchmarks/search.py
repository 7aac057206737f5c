"""What search_image costs over the pgvector statement that a person would write, the query vector being cached."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.measure import Bar, Figure, figure_of, figures_of, timed
from benchmarks.stack import Stack
from thanopg.database.connect import connect

DIMENSIONS = 512
TEXT = "a black cat"
BARE, OURS = "bare pgvector statement", "search_image"


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    rows, rounds = (5_000, 100) if quick else (50_000, 500)
    with connect(stack.url, autocommit=True) as connection:
        connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'bench')".encode())
        connection.execute("CREATE TABLE search_bench (id int PRIMARY KEY, image_path text)")
        connection.execute("SELECT add_image_embedding('search_bench', 'image_path', 'fake', index => 'none')")
        connection.execute("ALTER TABLE search_bench DISABLE TRIGGER USER")
        connection.execute(
            "INSERT INTO search_bench SELECT i, i || '.jpg', "
            f"(SELECT array_agg(random() - 0.5)::vector({DIMENSIONS}) "
            f" FROM generate_series(1, {DIMENSIONS}) WHERE i > 0) "
            f"FROM generate_series(1, {rows}) i".encode()
        )
        connection.execute("SET maintenance_work_mem = '512MB'")
        statement = "SELECT thanopg.index_statement(id) FROM thanopg.embedding WHERE model = 'fake'"
        connection.execute(connection.execute(statement).fetchall()[0][0])
        connection.execute("ANALYZE search_bench")
        connection.execute("SET hnsw.iterative_scan = strict_order")
        (vector,) = connection.execute("SELECT embed_text(%s, 'fake')::text", (TEXT,)).fetchone()  # type: ignore[misc]
        bare = (
            "SELECT id, image_path, 1 - (fake_bench <=> %s::vector) FROM search_bench "
            "ORDER BY fake_bench <=> %s::vector LIMIT 10"
        )
        inline = (
            "SELECT id, image_path FROM search_bench ORDER BY fake_bench <=> (SELECT embed_text(%s, 'fake')) LIMIT 10"
        )
        times = timed(
            {
                BARE: lambda: connection.execute(bare, (vector, vector)).fetchall(),
                "scalar subquery with embed_text": lambda: connection.execute(inline, (TEXT,)).fetchall(),
                OURS: lambda: connection.execute("SELECT * FROM search_image(%s, 'fake')", (TEXT,)).fetchall(),
                "embed_text alone": lambda: connection.execute("SELECT embed_text(%s, 'fake')", (TEXT,)).fetchall(),
            },
            rounds=rounds,
        )
    title = f"search, {rows:,} rows x {DIMENSIONS}, cached query vector"
    beyond = [ours - bare for ours, bare in zip(times[OURS], times[BARE], strict=True)]
    figure = figure_of(title, "search_image beyond the bare statement (ratio: ms)", beyond)
    return [*figures_of(title, times), replace(figure, ratio=figure.median, bar=Bar(most=1))]
