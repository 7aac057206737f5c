"""What must hold when everything has settled."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
import psycopg

from tests.faults.figures import Figures
from tests.faults.pictures import BROKEN, BROKEN_BYTES, Made, Pictures
from tests.faults.tables import CAPTION, CAPTION_VECTOR, TARGETS, VECTOR, Target
from tests.faults.worker_process import DIMENSIONS
from thanopg.models.fake import FakeEmbedder

SETTLE_SECONDS = 120.0
DEADLOCK = re.compile(r"deadlock detected\n.*?(?=HINT)", re.DOTALL)
WORKERS_STATEMENT = re.compile(
    r"Process \d+: SELECT .*thanopg\."
    r"(claim|read_source|finish|fail|forget|release|extend|reconcile|mend_triggers|forget_dropped)\("
)
UNFORESEEN = re.compile(r"could not write a batch of|a batch of .* failed|waits: permission denied")
"""what a worker logs with a traceback, and what the other worker would make up for"""
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
    """All that was made fits its picture, and every failure was planted.

    Before `refreshed` what fits an older version of a file will do; a picture that was away will be tried again.
    """
    chain = f"{CAPTION}, attributes->>'number', {CAPTION_VECTOR}::real[]" if target.chain else "NULL, NULL, NULL"
    rows = connection.execute(
        f"SELECT n, {target.source}, {VECTOR}::real[], {chain} FROM {target.name}".encode()
    ).fetchall()
    failed: dict[tuple[int, str], str] = {
        (n, column): fault
        for n, column, fault in connection.execute(
            f"SELECT t.n, f.column_name, f.error_type FROM failure f JOIN {target.name} t ON to_jsonb(t) @> f.key "
            "WHERE f.target = %s::regclass".encode(),
            (target.name,),
        ).fetchall()
    }
    columns = [column.strip('"') for column in (VECTOR, CAPTION) if column in target.made]
    planted, wrong = {}, []
    for n, value, vector, caption, number, caption_vector in rows:
        fault = _fault_of(value)
        if fault is not None:
            planted |= {(n, column): fault for column in columns}
        known = None if fault or value is None else _known(pictures, value, refreshed=refreshed)
        # a file that is missing may come back: its row keeps what it had
        kept = fault == "missing"
        fits = {
            VECTOR: _fits(vector, known and [_as_stored(made.vector, target) for made in known], kept=kept),
            CAPTION: (caption is None if known is None else caption in [made.caption for made in known]) or kept,
            "attributes": number == (caption and caption.split()[-1]),
            CAPTION_VECTOR: _fits(caption_vector, caption and [_as_stored(vector_of(caption), target)], kept=False),
        }
        for column in target.made:
            column = column.strip('"')
            said = failed.keys() & {(n, column), *([(n, CAPTION.strip('"'))] if column == "attributes" else [])}
            if not fits.get(column, fits[CAPTION]) and (refreshed or not said):
                wrong.append((n, column, value if isinstance(value, str) else "bytes", caption))
    assert wrong == [], f"{target.name}: {len(wrong)} of {len(rows)} rows have what is lost or stale: {wrong[:5]}"
    if refreshed:
        differing = [key for key in failed.keys() | planted.keys() if failed.get(key) != planted.get(key)]
        values = {n: value for n, value, *_ in rows}
        told = [(*key, values.get(key[0]), failed.get(key), planted.get(key)) for key in differing]
        assert differing == [], f"{target.name}: what failed and what was planted differ: {told[:5]}"
        figures.rows += len(rows)
        figures.failures += Counter(planted.values())


def check_writings(connection: psycopg.Connection, pictures: Pictures, figures: Figures) -> None:
    """No worker ever wrote what belongs to another picture or text than the row had at that moment."""
    captions = {(source, made.caption) for source, ever in pictures.ever.items() for made in ever}
    vectors = {(source, _digest(made.vector)) for source, ever in pictures.ever.items() for made in ever}
    halves = {(source, _digest(_half(made.vector))) for source, ever in pictures.ever.items() for made in ever}
    half = {target.name for target in TARGETS if target.type == "halfvec"}
    rows = connection.execute("SELECT target::text, made, source, value FROM written").fetchall()
    stale = []
    for target, made, source, value in rows:
        match made:
            case "caption_vector":
                right = np.array_equal(np.float32(json.loads(value)), vector_of(source))
            case "fake_base":
                allowed = halves if target in half else vectors
                right = (source, _digest(np.float32(json.loads(value)))) in allowed
            case _:
                right = (source, value) in captions
        stale += [] if right else [(target, made, source)]
    assert stale == [], f"{len(stale)} times something was written for another picture or text: {stale[:5]}"
    figures.written = len(rows)


def check_identical(connection: psycopg.Connection) -> None:
    """Byte-identical pictures have one vector, and one caption."""
    for target in TARGETS:
        for made in (VECTOR, CAPTION):
            if made not in target.made:
                continue
            twice = connection.execute(
                f"SELECT v.content_hash, count(DISTINCT t.{made}::text) FROM thanopg.provenance v "
                "JOIN thanopg.embedding_column c ON c.id = v.embedding AND c.target = %s::regclass "
                "AND c.column_name = %s "
                f"JOIN {target.name} t ON jsonb_build_array({_ordered_key(connection, target)}) = v.key "
                f"WHERE t.{made} IS NOT NULL GROUP BY 1 HAVING count(DISTINCT t.{made}::text) > 1".encode(),
                (target.name, made.strip('"')),
            ).fetchall()
            assert twice == []


def check_model_calls(journal: Path, figures: Figures, processes: int) -> None:
    """No process makes the same of the same content twice."""
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


def _known(pictures: Pictures, value: str | bytes, *, refreshed: bool) -> list[Made]:
    return [pictures.now[_name(value)]] if refreshed else pictures.ever[_name(value)]


def _fits(stored: list[float] | None, known: list[np.ndarray] | None, *, kept: bool) -> bool:
    if stored is None or not known:
        return (stored is None and not known) or kept
    return kept or any(np.array_equal(np.float32(stored), vector) for vector in known)


@functools.cache
def vector_of(text: str) -> np.ndarray:
    return np.asarray(FakeEmbedder(DIMENSIONS).embed_passages([text]).vectors[0])


def _digest(vector: np.ndarray) -> bytes:
    return vector.tobytes()


def _half(vector: np.ndarray) -> np.ndarray:
    return vector.astype(np.float16).astype(np.float32)


def _name(value: str | bytes) -> str:
    return value if isinstance(value, str) else hashlib.sha256(value).hexdigest()


def _as_stored(vector: np.ndarray, target: Target) -> np.ndarray:
    return _half(vector) if target.type == "halfvec" else vector


def _ordered_key(connection: psycopg.Connection, target: Target) -> str:
    row = connection.execute(
        "SELECT thanopg.key_expression(c, 't') FROM thanopg.embedding_column c WHERE target = %s::regclass",
        (target.name,),
    ).fetchone()
    assert row is not None
    return str(row[0]).removeprefix("jsonb_build_array(").removesuffix(")")
