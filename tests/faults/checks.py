"""What must hold when everything has settled."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psycopg

from tests.faults.figures import Figures
from tests.faults.pictures import BROKEN, BROKEN_BYTES, Pictures
from tests.faults.tables import TARGETS, VECTOR, Target

SETTLE_SECONDS = 120.0
DEADLOCK = re.compile(r"deadlock detected\n.*?(?=HINT)", re.DOTALL)
WORKERS_STATEMENT = re.compile(
    r"Process \d+: SELECT .*thanopg\."
    r"(claim|read_source|finish|fail|forget|release|extend|reconcile|mend_triggers|forget_dropped)\("
)
UNFORESEEN = re.compile(r"could not write a batch of|a batch of .* failed")
"""what a worker logs with a traceback"""
ENDED = re.compile(r"\S*(Error|Exception|Unavailable|Shutdown|ConnectNow)(: |$)")
EXPECTED_END = re.compile(
    r"(psycopg\.OperationalError|psycopg\.errors\.\w*(Shutdown|ConnectNow)|thanopg\.errors\.\w+Unavailable)"
)


def settle(connection: psycopg.Connection) -> None:
    """Until nothing waits but for another attempt at a picture that failed."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        waiting = connection.execute(
            "SELECT p.*, now() FROM thanopg.pending p WHERE error_type IS NULL ORDER BY available_at"
        ).fetchall()
        if not waiting:
            return
        assert time.monotonic() < deadline, f"{len(waiting)} rows are still pending: {waiting[:5]}"
        time.sleep(0.2)


def check_table(
    connection: psycopg.Connection, target: Target, pictures: Pictures, figures: Figures, *, refreshed: bool
) -> None:
    """Every vector fits its picture, and every failure was planted.

    Before `refreshed` the vector of an older version of a file will do; a picture that was away will be tried again.
    """
    source = "image" if target.source == "image" else "image_path"
    rows = connection.execute(f"SELECT n, {source}, {VECTOR}::real[] FROM {target.name}".encode()).fetchall()
    failed: dict[int, str] = dict(
        connection.execute(
            f"SELECT t.n, f.error_type FROM failure f JOIN {target.name} t ON to_jsonb(t) @> f.key "
            "WHERE f.target = %s::regclass".encode(),
            (target.name,),
        ).fetchall()
    )
    planted, wrong = {}, []
    for n, value, stored in rows:
        fault = _fault_of(value)
        vector = None if stored is None else np.float32(stored)
        if fault is not None:
            planted[n] = fault
            # a file that is missing may come back: its row keeps the vector it had
            fits = vector is None or fault == "missing"
        elif value is None:
            fits = vector is None
        else:
            known = [pictures.now[_name(value)]] if refreshed else pictures.ever[_name(value)]
            fits = vector is not None and any(np.array_equal(vector, _as_stored(k, target)) for k in known)
        if not fits and (refreshed or n not in failed):
            wrong.append((n, value if isinstance(value, str) else "bytes", "none" if vector is None else "stale"))
    assert wrong == [], f"{target.name}: {len(wrong)} of {len(rows)} rows are lost or stale: {wrong[:5]}"
    if refreshed:
        assert failed == planted, f"{target.name}: failures and planted ones differ: {failed.items() ^ planted.items()}"
        figures.rows += len(rows)
        figures.failures += Counter(planted.values())


def check_writings(connection: psycopg.Connection, pictures: Pictures, figures: Figures) -> None:
    """No worker ever wrote a vector of another picture than the row had at that moment."""
    allowed: set[tuple[str, str]] = set()
    for target in TARGETS:
        for source, vectors in pictures.ever.items():
            allowed |= {(source, _as_stored(vector, target).tobytes().hex()) for vector in vectors}
    rows = connection.execute("SELECT target::text, source, vector::vector::real[] FROM written").fetchall()
    stale = [
        (target, source)
        for target, source, vector in rows
        if (source, np.array(vector, np.float32).tobytes().hex()) not in allowed
    ]
    assert stale == [], f"{len(stale)} vectors were written for another picture: {stale[:5]}"
    figures.written = len(rows)


def check_identical(connection: psycopg.Connection) -> None:
    """Byte-identical pictures have one vector."""
    for target in TARGETS:
        twice = connection.execute(
            f"SELECT v.content_hash, count(DISTINCT t.{VECTOR}::text) FROM thanopg.provenance v "
            "JOIN thanopg.embedding_column c ON c.id = v.embedding AND c.target = %s::regclass "
            f"JOIN {target.name} t ON jsonb_build_array({_ordered_key(connection, target)}) = v.key "
            f"WHERE t.{VECTOR} IS NOT NULL GROUP BY 1 HAVING count(DISTINCT t.{VECTOR}::text) > 1".encode(),
            (target.name,),
        ).fetchall()
        assert twice == []


def check_model_calls(journal: Path, figures: Figures, processes: int) -> None:
    """No process embeds the same picture twice, and none embeds what is in no row."""
    of_process: dict[str, Counter[str]] = {}
    for line in journal.read_text().splitlines():
        pid, *pictures = line.split()
        of_process.setdefault(pid, Counter()).update(pictures)
        figures.model_calls += 1
    twice = {pid: [p for p, number in seen.items() if number > 1] for pid, seen in of_process.items()}
    assert not any(twice.values())
    figures.model_images = sum(seen.total() for seen in of_process.values())
    figures.distinct_images = len({picture for seen in of_process.values() for picture in seen})
    assert figures.model_images <= figures.distinct_images * processes


def check_worker_log(log: Path) -> None:
    """No worker met an error that nobody thought of; one that starts while the server is away says so and ends."""
    text = log.read_text(errors="replace")
    surprising = [line for line in text.splitlines() if UNFORESEEN.search(line)]
    ends = [line for line in text.splitlines() if ENDED.match(line) and not EXPECTED_END.match(line)]
    assert surprising + ends == []


def check_deadlocks(log: Path) -> None:
    """No worker was part of a deadlock."""
    ours = [text for text in DEADLOCK.findall(log.read_text(errors="replace")) if WORKERS_STATEMENT.search(text)]
    assert ours == []


def _fault_of(value: str | bytes | None) -> str | None:
    if isinstance(value, bytes):
        return "not_an_image" if value == BROKEN_BYTES else None
    return BROKEN.get(value or "")


def _name(value: str | bytes) -> str:
    return value if isinstance(value, str) else hashlib.sha256(value).hexdigest()


def _as_stored(vector: np.ndarray, target: Target) -> np.ndarray:
    return vector.astype(np.float16).astype(np.float32) if target.type == "halfvec" else vector


def _ordered_key(connection: psycopg.Connection, target: Target) -> str:
    row = connection.execute(
        "SELECT thanopg.key_expression(c, 't') FROM thanopg.embedding_column c WHERE target = %s::regclass",
        (target.name,),
    ).fetchone()
    assert row is not None
    return str(row[0]).removeprefix("jsonb_build_array(").removesuffix(")")
