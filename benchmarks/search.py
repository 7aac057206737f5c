"""What search_image costs over the pgvector statement that a person would write, the query vector being cached."""

from __future__ import annotations

from benchmarks.measure import Figure, interleave
from benchmarks.stack import Stack
from thanopg.database.connect import connect

DIMENSIONS = 512
TEXT = "a black cat"


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
        connection.execute(
            connection.execute("SELECT thanopg.index_statement(id) FROM thanopg.embedding").fetchone()[0]
        )  # type: ignore[index]
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
        return interleave(
            f"search, {rows:,} rows x {DIMENSIONS}, cached query vector",
            {
                "bare pgvector statement": lambda: connection.execute(bare, (vector, vector)).fetchall(),
                "scalar subquery with embed_text": lambda: connection.execute(inline, (TEXT,)).fetchall(),
                "search_image": lambda: connection.execute(
                    "SELECT * FROM search_image(%s, 'fake')", (TEXT,)
                ).fetchall(),
                "embed_text alone": lambda: connection.execute("SELECT embed_text(%s, 'fake')", (TEXT,)).fetchall(),
            },
            rounds=rounds,
        )
