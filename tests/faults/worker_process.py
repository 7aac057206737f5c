"""`python -m tests.faults.worker_process URL ROOT LEASE JOURNAL`: a real worker that can be told where to die.

THANOPG_FAULT_POINT says where: see points.py. THANOPG_POISON names a picture at which the model ends the process.
JOURNAL gets a line for every call of a model: the process, and what it was asked to make of what, as hashes.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tests.faults.points import PointedQueue, PointedReader, Points
from thanopg.config import ImageLimits
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.embedder import Caption, Embedder, Pixels, TextEmbeddings, Vectors
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker

DIMENSIONS = 16


class JournalledEmbedder(FakeEmbedder):
    """Writes down what it is asked for, in one write per call, so that a kill loses no line."""

    def __init__(self, dimensions: int, journal: Path, points: Points, poison: str) -> None:
        """`poison`: hash of the picture that ends the process."""
        super().__init__(dimensions)
        self._poison = poison
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._points = points

    def embed_images(self, pixels: Pixels) -> Vectors:
        hashes = self._note("vector", [image.tobytes() for image in pixels])
        if self._poison in hashes:
            os.kill(os.getpid(), signal.SIGKILL)
        vectors = super().embed_images(pixels)
        self._points.reach("after model")
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> TextEmbeddings:
        self._note("text", [text.encode() for text in texts])
        made = super().embed_passages(texts)
        self._points.reach("after model")
        return made

    def caption_images(
        self, pixels: Pixels, *, language: str, prompt: str | None = None, beams: int = 1
    ) -> list[Caption]:
        self._note("caption", [image.tobytes() for image in pixels])
        captions = super().caption_images(pixels, language=language, prompt=prompt, beams=beams)
        self._points.reach("after model")
        return captions

    def _note(self, what: str, contents: Sequence[bytes]) -> list[str]:
        self._points.reach("before model")
        hashes = [hashlib.sha256(content).hexdigest()[:16] for content in contents]
        os.write(self._journal, f"{os.getpid()} {' '.join(f'{what}:{each}' for each in hashes)}\n".encode())
        return hashes


def main() -> None:
    url, root, lease, journal = sys.argv[1:]
    points = Points(os.environ.get("THANOPG_FAULT_POINT", ""))
    limits = ImageLimits()

    def load(source: str, device: str | None = None) -> Embedder:
        dimensions = int(source.removeprefix("fake:"))
        return JournalledEmbedder(dimensions, Path(journal), points, os.environ.get("THANOPG_POISON", ""))

    options = WorkerOptions(
        batch_size=32,
        lease=float(lease),
        longest_poll=0.2,
        reconcile_every=1.0,
        deep_reconcile_every=3.0,
        trouble_pause=1.0,
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with (
        DecodePool(1, limits) as decoder,
        Preparer(PointedReader(ImageReader(Path(root), limits), points.reach), decoder, threads=2) as preparer,
    ):
        Worker(
            url=url,
            library=ModelLibrary(load=load),
            preparer=preparer,
            options=options,
            open_queue=lambda url: PointedQueue(url, points.reach),
        ).run(stop)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the harness
    main()
