"""From JPEG files to committed vectors, ViT-B-32: the worker beside what people write with open_clip, in one run.

Weights are random, because speed does not depend on them; vectors are compared all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.limits import shares
from benchmarks.measure import Figure, interleave
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
SAME = 0.999
"""cosine between the worker's vectors and plain open_clip's"""


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    pictures, rounds = (64, 2) if quick else (256, 3)
    source = save_random(ARCHITECTURE, stack.directory / "model")
    plain = PlainOpenClip(source)
    library = ModelLibrary("cpu", partial(load_embedder, engine="auto"))
    model = library.get(source)
    figures: list[Figure] = []
    with connect(stack.url, autocommit=True) as connection:
        connection.execute("SELECT create_model('random', source => %s, base => 'vit')", (source,))
        connection.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, image_path text)")
        connection.execute(f"SELECT add_image_embedding('{TABLE}', 'image_path', 'random', index => 'none')")
        for label, size in SIZES.items():
            root = stack.directory / label.replace(" ", "-")
            paths = write_photographs(root, size, pictures)
            title = f"bulk embedding, {pictures:,} JPEG files of {label}, {ARCHITECTURE}"
            work = partial(_work, stack, library, connection, root, paths)
            work()
            _check_same(connection, plain.loop(paths, BATCH))
            found = interleave(
                title,
                {
                    "plain open_clip loop": partial(plain.loop, paths, BATCH),
                    "open_clip behind a DataLoader": partial(plain.loader, paths, BATCH),
                    "worker, vectors committed": work,
                },
                rounds=rounds,
            )
            figures += found
            _fill(connection, paths)
            seconds = found[-1].median / 1000
            figures += shares(title, model, stack.url, paths, table=TABLE, batch=BATCH, seconds=seconds)
    return figures


def _work(
    stack: Stack, library: ModelLibrary, connection: psycopg.Connection, root: Path, paths: Sequence[Path]
) -> None:
    _fill(connection, paths)
    with Preparer(ImageReader(root, ImageLimits()), stack.decoder, threads=4) as preparer:
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
