"""`python -m tests.acceptance.worker_process URL ROOT LEASE`: a worker as a process of its own, to be killed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from thanopg.config import ImageLimits
from thanopg.images.pool import DecodePool
from thanopg.images.source import ImageReader
from thanopg.models.library import ModelLibrary
from thanopg.worker.options import WorkerOptions
from thanopg.worker.prepare import Preparer
from thanopg.worker.worker import Worker


def main() -> None:
    url, root, lease = sys.argv[1:]
    limits = ImageLimits()
    options = WorkerOptions(batch_size=32, lease=float(lease), longest_poll=0.2)
    with DecodePool(1, limits) as decoder, Preparer(ImageReader(Path(root), limits), decoder, threads=2) as preparer:
        Worker(url=url, library=ModelLibrary(), preparer=preparer, options=options).run(threading.Event())


if __name__ == "__main__":
    main()
