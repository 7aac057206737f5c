"""From JPEG files to committed vectors, ViT-B-32: the worker beside what people write with open_clip, in one run.

Weights are random, because speed does not depend on them; vectors are compared all the same.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.limits import shares
from benchmarks.measure import Bar, Figure, figures_of, timed
from benchmarks.photographs import SIZES, write_photographs
from benchmarks.plain import PlainOpenClip, save_random
from benchmarks.stack import Stack
from thanopg.config import ImageLimits
from thanopg.database.connect import connect
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Vectors
from thanopg.models.library import ModelLibrary
from thanopg.models.load import load_embedder
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

BATCH = 32
ARCHITECTURE = "ViT-B-32"
TABLE = "bulk_bench"
WORKER = "worker, vectors committed"
SAME = 0.999
"""cosine between the worker's vectors and plain open_clip's"""
LEAST_BEHIND = 2.0
"""times that the plain loop takes longer, at least"""
LEAST_AHEAD = 1.1
"""of the fastest of the others"""


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    pictures, rounds = (64, 1) if quick else (128, 3)
    source = save_random(ARCHITECTURE, stack.directory / "model")
    plain = PlainOpenClip(source)
    library = ModelLibrary("cpu", partial(load_embedder, engine="auto"))
    model = library.get(source)
    figures: list[Figure] = []
    with connect(stack.url, autocommit=True) as connection:
        connection.execute("SELECT create_model('random', source => %s, base => 'vit')", (source,))
        connection.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, image_path text)")
        connection.execute(f"SELECT add_image_embedding('{TABLE}', 'image_path', 'random', index => 'none')")
        ways: dict[str, Callable[[Sequence[Path]], object]] = {
            "plain open_clip loop": partial(plain.loop, batch=BATCH),
            "open_clip behind a DataLoader": partial(plain.loader, batch=BATCH),
            WORKER: partial(_work, stack, library, connection),
        }
        for label, size in SIZES.items():
            title = f"bulk embedding, {pictures:,} JPEG files of {label}, {ARCHITECTURE}"
            paths = write_photographs(stack.directory / label.replace(" ", "-"), size, pictures)
            for way in ways.values():
                way(paths[:BATCH])
            _check_same(connection, plain.loop(paths[:BATCH], BATCH))
            times = timed({what: partial(way, paths) for what, way in ways.items()}, rounds=rounds, warm=True)
            figures += figures_of(title, times, bars={WORKER: Bar(most=1 / LEAST_BEHIND)})
            figures.append(_beside_the_fastest(title, figures[-len(ways) :]))
            _fill(connection, paths)
            seconds = statistics.median(times[WORKER]) / 1000
            figures += shares(title, model, stack.url, paths, table=TABLE, batch=BATCH, seconds=seconds)
    return figures


def _beside_the_fastest(title: str, figures: Sequence[Figure]) -> Figure:
    (ours,) = (figure for figure in figures if figure.what == WORKER)
    fastest = min((figure for figure in figures if figure is not ours), key=lambda figure: figure.median)
    return Figure(
        benchmark=title,
        what=f"  as fast as the fastest other: {fastest.what}",
        median=fastest.median,
        ratio=fastest.median / ours.median,
        bar=Bar(least=LEAST_AHEAD),
    )


def _work(stack: Stack, library: ModelLibrary, connection: psycopg.Connection, paths: Sequence[Path]) -> None:
    _fill(connection, paths)
    with Preparer(ImageReader(paths[0].parent, ImageLimits()), stack.decoder, threads=4) as preparer:
        options = WorkerOptions(batch_size=BATCH, deep_reconcile_every=float("inf"))
        worker = Worker(url=stack.url, library=library, preparer=preparer, options=options)
        tally = worker.run(threading.Event(), once=True)
    if tally.embedded != len(paths):
        raise RuntimeError(f"{tally.embedded} of {len(paths)} rows embedded")


def _fill(connection: psycopg.Connection, paths: Sequence[Path]) -> None:
    """All rows new, and pending."""
    connection.execute(f"TRUNCATE {TABLE}, thanopg.pending, thanopg.provenance")
    with connection.cursor().copy(f"COPY {TABLE} (id, image_path) FROM STDIN") as copy:
        for number, path in enumerate(paths):
            copy.write_row((number, path.name))


def _check_same(connection: psycopg.Connection, wanted: Vectors) -> None:
    rows = connection.execute(f"SELECT random_vit::real[] FROM {TABLE} ORDER BY id").fetchall()
    found = np.array([vector for (vector,) in rows], dtype=np.float32)
    least = float((found * wanted).sum(axis=1).min())
    if not least >= SAME:
        raise RuntimeError(f"the worker's vectors are not plain open_clip's: cosine {least:.5f}")
