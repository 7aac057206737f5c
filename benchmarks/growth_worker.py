"""`python -m benchmarks.growth_worker URL ROWS`: a worker whose pictures are in memory and whose model costs nothing.

Everything between is what users run. Prints rows and seconds when so many are committed or nothing waits any more.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from concurrent.futures import Future

import numpy as np

from thanopg.images.source import ImageBytes
from thanopg.models.embedder import Embedder, Pixels, Preprocessing, Vectors
from thanopg.models.fake import FakeEmbedder
from thanopg.models.library import ModelLibrary
from thanopg.worker.claim import EmbeddingColumn
from thanopg.worker.prepare import Preparer
from thanopg.worker.queue import WorkQueue
from thanopg.worker.settle import Tally
from thanopg.worker.worker import Worker

DIMENSIONS = 512
SOURCE = f"fake:{DIMENSIONS}"
POLL_SECONDS = 0.005


class Instant(FakeEmbedder):
    """The fake model without its random numbers: the vectors are turned copies of one."""

    def __init__(self, dimensions: int) -> None:
        super().__init__(dimensions)
        self._one = self._vector(b"")

    def embed_images(self, pixels: Pixels) -> Vectors:
        return np.stack([np.roll(self._one, int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])) for image in pixels])


class Memory:
    """Reader and decoder of pictures that are their own path."""

    def read(self, source: str | bytes) -> ImageBytes:
        data = source.encode() if isinstance(source, str) else source
        return ImageBytes(data=data, digest=hashlib.sha256(data).digest(), size=len(data), modified=None)

    def submit(self, data: bytes, preprocessing: Preprocessing) -> Future[Pixels]:
        future: Future[Pixels] = Future()
        pixels = np.zeros((1, 1, 3), dtype=np.uint8)
        pixels[0, 0, :2] = list(hashlib.sha256(data).digest()[:2])
        future.set_result(pixels)
        return future


class Unreconciled(WorkQueue):
    """A worker goes through its tables before the first claim: that is measured by itself."""

    def blocks(self, column: EmbeddingColumn, *, deep: bool) -> int:
        return -1


def load(source: str, *, device: str | None) -> Embedder:
    return Instant(DIMENSIONS)


def main(url: str, rows: int) -> None:
    stop = threading.Event()
    tally = Tally()

    def watch() -> None:
        while tally.embedded < rows and not stop.wait(POLL_SECONDS):
            pass
        stop.set()

    memory = Memory()
    with Preparer(memory, memory, threads=2) as preparer:
        worker = Worker(url, ModelLibrary(load=load), preparer, tally=tally, open_queue=Unreconciled)
        threading.Thread(target=watch, daemon=True).start()
        begin = time.perf_counter()
        worker.run(stop, once=True)
        seconds = time.perf_counter() - begin
        stop.set()
    print(tally.embedded, seconds)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
