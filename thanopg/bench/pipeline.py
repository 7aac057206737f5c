"""Files to vectors as a worker does it: decoding processes beside the model, batches in flight between them."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from thanopg.config import ImageLimits
from thanopg.images.pool import DecodePool
from thanopg.models.embedder import Pixels, Preprocessing

BATCHES_IN_FLIGHT = 3
"""one at the model, two being decoded"""


def images_per_second(
    run: Callable[[Pixels], object],
    files: Sequence[bytes],
    way: Preprocessing,
    limits: ImageLimits,
    *,
    decoders: int,
    batch: int,
    seconds: float,
) -> float:
    """For about so many seconds, after a first batch that warms everything up. `run`: the model on a batch."""
    source = itertools.cycle(files)
    with DecodePool(decoders, limits) as pool:

        def submit() -> list[Future[Pixels]]:
            return [pool.submit(next(source), way) for _ in range(batch)]

        waiting = deque(submit() for _ in range(BATCHES_IN_FLIGHT))
        begun, batches = 0.0, -1
        while batches < 1 or time.perf_counter() - begun < seconds:
            run(np.stack([future.result() for future in waiting.popleft()]))
            waiting.append(submit())
            batches += 1
            begun = begun or time.perf_counter()
        return batches * batch / (time.perf_counter() - begun)
