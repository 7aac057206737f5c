"""tune-index tells what an index finds from what there is, with the statement that searches run."""

from __future__ import annotations

import json

import numpy as np
import psycopg
import pytest

from tests.command import run
from tests.databases import Database
from thanopg.cli.recall import EFFORTS, measure, sample_vectors, searches
from thanopg.models.fake import FakeEmbedder

ROWS = 3000


@pytest.fixture
def clustered(connection: psycopg.Connection, model: FakeEmbedder) -> psycopg.Connection:
    """Table 사진, whose vectors lie in thirty heaps, with an index that was built poorly."""
    random = np.random.default_rng(11)
    centres = random.standard_normal((30, 8))
    vectors = centres[random.integers(0, 30, ROWS)] + 0.1 * random.standard_normal((ROWS, 8))
    connection.execute("CREATE TABLE 사진 (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('사진', 'image_path', 'fake', index => 'none')")
    connection.execute("ALTER TABLE 사진 DISABLE TRIGGER USER")
    with connection.cursor().copy("COPY 사진 FROM STDIN") as copy:
        for number, vector in enumerate(vectors):
            copy.write_row((number, f"{number}.jpg", str(vector.tolist())))
    connection.execute(
        "CREATE INDEX ON 사진 USING hnsw (fake_fake vector_cosine_ops) WITH (m = 8, ef_construction = 16)"
    )
    connection.execute("ANALYZE 사진")
    return connection


def test_recall_grows_with_effort_and_is_that_of_a_search(clustered: psycopg.Connection) -> None:
    vectors = sample_vectors(clustered, 1, 20)
    assert len(set(vectors)) == 20
    heard: list[int] = []
    tuning = measure(clustered, 1, vectors, k=10, tell=heard.append)
    assert heard == list(range(1, searches(20, k=10) + 1))
    assert [effort.ef_search for effort in tuning.efforts] == list(EFFORTS)
    assert 0 < tuning.efforts[0].recall <= tuning.efforts[-1].recall <= 1
    assert tuning.efforts[-1].recall > 0.5
    clustered.execute("SET enable_seqscan = off; SET hnsw.iterative_scan = relaxed_order; SET hnsw.ef_search = 10")
    order = "SELECT id FROM 사진 ORDER BY fake_fake <=> %s::vector LIMIT 10"
    shares = []  # never prepared: a plan that is kept does not mind settings
    for vector in vectors:
        quick = {row for (row,) in clustered.execute(order, (vector,), prepare=False).fetchall()}
        with clustered.transaction():
            clustered.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_seqscan = on")
            exact = {row for (row,) in clustered.execute(order, (vector,), prepare=False).fetchall()}
        shares.append(len(quick & exact) / 10)
    assert tuning.efforts[0].recall == pytest.approx(np.mean(shares), abs=1e-9)
    least = tuning.proposed(tuning.efforts[2].recall)
    assert least.recall >= tuning.efforts[2].recall and least.ef_search <= 40
    assert tuning.proposed(2.0).recall == max(effort.recall for effort in tuning.efforts)


def test_equal_rows_are_as_good_as_each_other(clustered: psycopg.Connection) -> None:
    clustered.execute("UPDATE 사진 SET fake_fake = '[1,2,3,4,5,6,7,8]'")
    tuning = measure(clustered, 1, sample_vectors(clustered, 1, 2), k=40, tell=lambda done: None)
    assert [(effort.ef_search, effort.recall) for effort in tuning.efforts[:2]] == [(40, 1.0), (80, 1.0)]


def test_command(clustered: psycopg.Connection, database: Database) -> None:
    here = ("--database-url", database.url)
    done = run("tune-index", "사진", "--queries", "5", "--json", *here)
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["column"] == "fake_fake" and report["queries"] == 5
    assert report["proposed"] in EFFORTS and len(report["efforts"]) == len(EFFORTS)
    said = run("tune-index", "사진", "--queries", "2", *here)
    assert "recall@10" in said.stdout and "proposed" in said.stdout and "SET hnsw.ef_search = " in said.stderr
    clustered.execute("DROP INDEX 사진_fake_fake_idx")
    refused = run("tune-index", "사진", *here)
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "error: column fake_fake of 사진 has no index",
        "hint: build one: thanopg index 사진",
    ]
    assert run("tune-index", "nothing", *here).stderr.splitlines()[0] == "error: no table 'nothing'"
