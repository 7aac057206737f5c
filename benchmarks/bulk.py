"""From JPEG files to committed vectors, ViT-B-32: the worker beside what people write with open_clip, in one run.

Weights are random, because speed does not depend on them; vectors are compared all the same.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import psycopg

from benchmarks.limits import shares
from benchmarks.measure import Bar, Figure, figures_of, timed
from benchmarks.peers.available import PeerCall, available_peers
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
ALIKE = 0.99
"""the same of a peer, which may prepare pictures in its own way; a lower one is said, for then it does other work"""
PICTURES = {"640 pixels": 96, "1080p": 96, "12 megapixels": 64}
"""so many that starting and ending do not count, and everybody is done within minutes"""
ROUNDS = {"640 pixels": 3, "1080p": 2, "12 megapixels": 2}
"""the smallest take least time, and there the fewest seconds lie between what is held and what is not"""
LEAST_BEHIND = 2.0
"""times that the plain loop takes longer, at least"""
LEAST_AHEAD = 1.1
"""of the fastest of the others"""

Way = Callable[[Sequence[Path]], object]
"""from files to vectors"""


def run(stack: Stack, *, quick: bool) -> list[Figure]:
    source = save_random(ARCHITECTURE, stack.directory / "model")
    plain = PlainOpenClip(source)
    library = ModelLibrary("cpu", partial(load_embedder, engine="auto"))
    model = library.get(source)
    figures: list[Figure] = []
    with connect(stack.url, autocommit=True) as connection, available_peers(source, stack.directory / "peers") as peers:
        for name, reason in peers.skipped:
            print(f"{name}: skipped: {reason}", file=sys.stderr)
        connection.execute("SELECT create_model('random', source => %s, base => 'vit')", (source,))
        connection.execute(f"CREATE TABLE {TABLE} (id int PRIMARY KEY, image_path text)")
        connection.execute(f"SELECT add_image_embedding('{TABLE}', 'image_path', 'random', index => 'none')")
        ways: dict[str, Way] = {
            "plain open_clip loop": partial(plain.loop, batch=BATCH),
            "open_clip behind a DataLoader": partial(plain.loader, batch=BATCH),
            **peers.calls,
            WORKER: partial(_work, stack, library, connection),
        }
        for label, size in SIZES.items():
            pictures = PICTURES[label] // (2 if quick else 1)
            title = f"bulk embedding, {pictures:,} JPEG files of {label}, {ARCHITECTURE}"
            directory = stack.directory / label.replace(" ", "-")
            few = write_photographs(directory / "few", size, BATCH)
            timed(_each(ways, few), rounds=1, warm=True)
            _check_same(connection, plain.loop(few, BATCH), peers.calls)
            paths = write_photographs(directory / "all", size, pictures)
            times = timed(_each(ways, paths), rounds=1 if quick else ROUNDS[label], warm=True)
            figures += figures_of(title, times, bars={WORKER: Bar(most=1 / LEAST_BEHIND)})
            figures.append(_beside_the_fastest(title, figures[-len(times) :]))
            _fill(connection, paths)
            seconds = statistics.median(times[WORKER]) / 1000
            figures += shares(title, model, stack.url, paths, table=TABLE, batch=BATCH, seconds=seconds)
            shutil.rmtree(directory)
    return figures


def _each(ways: dict[str, Way], paths: Sequence[Path]) -> dict[str, Callable[[], object]]:
    return {what: partial(way, paths) for what, way in ways.items()}


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


def _check_same(connection: psycopg.Connection, wanted: Vectors, peers: dict[str, PeerCall]) -> None:
    rows = connection.execute(f"SELECT random_vit::real[] FROM {TABLE} ORDER BY id").fetchall()
    found = np.array([vector for (vector,) in rows], dtype=np.float32)
    least = float((found * wanted).sum(axis=1).min())
    if not least >= SAME:
        raise RuntimeError(f"the worker's vectors are not plain open_clip's: cosine {least:.5f}")
    for what, peer in peers.items():
        if peer.last is not None:
            least = float((peer.last.vectors * wanted).sum(axis=1).min())
            print(f"{what}: cosine {least:.5f}{'' if least >= ALIKE else ': OTHER VECTORS'}", file=sys.stderr)
