"""How near a worker comes to what the machine can do, each part of its work measured alone in the same run.

*Work limit*: cores ÷ (CPU seconds an image of decoding + forward + writing), with the engine that the worker uses.
*Forward limit*: images a second of the forward pass alone, tensors in memory.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.measure import Bar, Figure
from thanopg.config import ImageLimits
from thanopg.images.decode import decode
from thanopg.images.processors import processors
from thanopg.models.library import LoadedModel
from thanopg.worker.claim import Made, Written
from thanopg.worker.draft import Drafts
from thanopg.worker.packed import packed
from thanopg.worker.queue import WorkQueue

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
LARGE = 1 << 30
ENGINE_TURNS = 3

Result = TypeVar("Result")


def shares(
    title: str, model: LoadedModel, url: str, paths: Sequence[Path], *, table: str, batch: int, seconds: float
) -> list[Figure]:
    """`seconds`: what the worker took for all `paths`. All rows of `table` are pending. Shares stand as ratios."""
    decoding, pixels = _decoding(model, paths[: 2 * batch])
    forward, forward_rate, vectors = _forward(model, np.stack(pixels[:batch]))
    writing = _writing(url, table, vectors, rows=len(paths))
    work = decoding + forward + writing
    limit, rate = processors() / work, len(paths) / seconds
    return [
        _share(title, f"  share of the work limit, {limit:.1f}/s", work, rate / limit, Bar(least=0.85)),
        _share(title, f"  share of the forward limit, {forward_rate:.1f}/s", 1 / forward_rate, rate / forward_rate),
        _share(title, "  decoding, of the work", decoding, decoding / work),
        _share(title, "  forward pass, of the work", forward, forward / work),
        _share(title, "  writing, of the work", writing, writing / work, Bar(most=0.05)),
    ]


def _share(title: str, what: str, seconds: float, share: float, bar: Bar | None = None) -> Figure:
    return Figure(benchmark=title, what=what, median=seconds * 1000, ratio=share, bar=bar)


def _decoding(model: LoadedModel, paths: Sequence[Path]) -> tuple[float, list[np.ndarray]]:  # type: ignore[type-arg]
    """CPU seconds an image, and the pixels."""
    drafts, limits = Drafts(model), ImageLimits()
    drafts.choose(LARGE)
    files = [path.read_bytes() for path in paths]
    seconds, pixels = _cpu(lambda: [decode(data, drafts.choose(len(data)), limits) for data in files])
    return seconds / len(files), pixels


def _forward(model: LoadedModel, pixels: np.ndarray) -> tuple[float, float, list[bytes]]:  # type: ignore[type-arg]
    """CPU seconds an image, images a second, and the vectors as they are written."""
    vectors = model.embed_images(pixels)
    start = time.perf_counter()
    seconds, _ = _cpu(lambda: [model.embed_images(pixels) for _ in range(ENGINE_TURNS)])
    count = ENGINE_TURNS * len(pixels)
    return seconds / count, count / (time.perf_counter() - start), packed(vectors)


def _writing(url: str, table: str, vectors: Sequence[bytes], *, rows: int) -> float:
    """CPU seconds a row of claim, read and finish: this process's and the server's."""
    queue = WorkQueue(url)
    try:
        (column,) = (each for each in queue.columns() if each.label.startswith(f"{table}."))
        ((backend,),) = queue._rows("SELECT pg_backend_pid()")
        before, done = _process_seconds(backend), 0

        def write_all() -> None:
            nonlocal done
            while done < rows:
                token = uuid.uuid4()
                claim = queue.claim(column, token, size=len(vectors), lease=timedelta(minutes=1))
                written = [
                    Written(row=row, made=Made(vector), content_hash=os.urandom(32), size=1)
                    for row, vector in zip(claim.rows, vectors, strict=False)
                ]
                done += len(queue.finish(column, token, written))

        ours, _ = _cpu(write_all)
        return (ours + _process_seconds(backend) - before) / rows
    finally:
        queue.close()


def _cpu(work: Callable[[], Result]) -> tuple[float, Result]:
    """CPU seconds of this process, and the result."""
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def _process_seconds(pid: int) -> float:
    """CPU seconds of another process so far; Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
