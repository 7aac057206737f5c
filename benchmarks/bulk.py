"""From JPEG files to committed vectors: the worker beside the loop of open_clip's README, same files, same model."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg

from benchmarks.measure import Figure, interleave
from benchmarks.stack import Stack
from thanopg.catalog.catalogue import write_catalogue
from thanopg.config import ImageLimits
from thanopg.database.connect import connect
from thanopg.images.source import ImageReader
from thanopg.models.torchvision_shim import import_torchvision
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

BATCH = 64


def run(stack: Stack, *, pictures: int, rounds: int) -> list[Figure]:
    root = stack.directory / "pictures"
    root.mkdir()
    write_catalogue(root, pictures, seed=99)
    paths = sorted(root.rglob("*.jpg"))
    plain = _plain_loop(paths)
    with connect(stack.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bulk_bench (id int PRIMARY KEY, image_path text)")
        connection.execute("SELECT add_image_embedding('bulk_bench', 'image_path', 'catalog', index => 'none')")
        relative = [str(path.relative_to(root)) for path in paths]
        return interleave(
            f"bulk embedding, {len(paths):,} JPEG files, bundled model",
            {
                "plain open_clip loop, vectors in memory": plain,
                "worker, vectors committed": lambda: _worker(stack, connection, root, relative),
            },
            rounds=rounds,
        )


def _plain_loop(paths: list[Path]) -> object:
    import_torchvision()
    import open_clip
    import torch
    from PIL import Image

    import thanopg.catalog

    directory = Path(thanopg.catalog.__file__).with_name("model")
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{directory}")
    model.eval()

    def loop() -> None:
        with torch.no_grad():
            for start in range(0, len(paths), BATCH):
                batch = torch.stack([preprocess(Image.open(path)) for path in paths[start : start + BATCH]])
                features = model.encode_image(batch)
                (features / features.norm(dim=-1, keepdim=True)).numpy()

    return loop


def _worker(stack: Stack, connection: psycopg.Connection, root: Path, paths: list[str]) -> None:
    connection.execute("TRUNCATE bulk_bench")
    connection.execute("DELETE FROM thanopg.pending")
    with connection.cursor().copy("COPY bulk_bench (id, image_path) FROM STDIN") as copy:
        for number, path in enumerate(paths):
            copy.write_row((number, path))
    with Preparer(ImageReader(root, ImageLimits()), stack.decoder, threads=4) as preparer:
        options = WorkerOptions(batch_size=BATCH, deep_reconcile_every=float("inf"))
        worker = Worker(url=stack.url, library=stack.library, preparer=preparer, options=options)
        tally = worker.run(threading.Event(), once=True)
    if tally.embedded != len(paths):
        raise RuntimeError(f"{tally.embedded} of {len(paths)} rows embedded at {time.ctime()}")
