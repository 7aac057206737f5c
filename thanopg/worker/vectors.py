"""From pictures to vectors as text: one forward pass per batch, halved around what a model can't digest.

Identical bytes are embedded once: within a batch, and while they are remembered.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from thanopg.errors import ImageError, ModelFailed
from thanopg.models.embedder import Pixels, Vectors
from thanopg.worker.claim import Prepared, Written

logger = logging.getLogger(__name__)

REMEMBERED = 10_000
"""vectors kept by content hash"""
LENGTH_TOLERANCE = 1e-2


class RecentVectors:
    """Least recently used vectors by content hash, for one model. Thread-safe."""

    def __init__(self, capacity: int = REMEMBERED) -> None:
        self._capacity = capacity
        self._vectors: OrderedDict[bytes, str] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, content_hash: bytes) -> bool:
        with self._lock:
            return content_hash in self._vectors

    def get(self, content_hash: bytes) -> str | None:
        with self._lock:
            vector = self._vectors.get(content_hash)
            if vector is not None:
                self._vectors.move_to_end(content_hash)
            return vector

    def put(self, content_hash: bytes, vector: str) -> None:
        with self._lock:
            self._vectors[content_hash] = vector
            self._vectors.move_to_end(content_hash)
            while len(self._vectors) > self._capacity:
                self._vectors.popitem(last=False)


def embed_prepared(
    prepared: Sequence[Prepared], embed: Callable[[Pixels], Vectors], recent: RecentVectors
) -> tuple[list[Written], list[Prepared]]:
    """Prepared rows without fault → what is to be written, and the rows at which the model failed.

    Rows whose remembered vector was forgotten meanwhile are in neither list: they are to be released.
    Raises ModelFailed when no image of the batch could be embedded: that is no image's fault.
    """
    images: dict[bytes, Pixels] = {}
    for row in prepared:
        if row.picture is not None and row.picture.pixels is not None and row.picture.content_hash not in recent:
            images.setdefault(row.picture.content_hash, row.picture.pixels)
    hashes = list(images)
    outcomes = _embed_halving([images[h] for h in hashes], embed)
    if outcomes and len(outcomes) > 1 and all(isinstance(outcome, Exception) for outcome in outcomes):
        raise ModelFailed() from next(o for o in outcomes if isinstance(o, Exception))
    faults: dict[bytes, ImageError] = {}
    vectors: dict[bytes, str] = {}
    for content_hash, outcome in zip(hashes, outcomes, strict=True):
        if isinstance(outcome, Exception):
            faults[content_hash] = outcome if isinstance(outcome, ImageError) else _attributed(outcome)
        else:
            vectors[content_hash] = vector_text(outcome)
            recent.put(content_hash, vectors[content_hash])

    written: list[Written] = []
    failed: list[Prepared] = []
    for row in prepared:
        picture = row.picture
        if picture is None:
            written.append(Written(row=row.row))
        elif picture.content_hash in faults:
            failed.append(Prepared(row=row.row, fault=faults[picture.content_hash]))
        else:
            vector = vectors.get(picture.content_hash) or recent.get(picture.content_hash)
            if vector is not None:
                written.append(
                    Written(
                        row=row.row,
                        vector=vector,
                        content_hash=picture.content_hash,
                        size=picture.size,
                        modified=picture.modified,
                    )
                )
    return written, failed


def vector_text(vector: np.ndarray[tuple[int], np.dtype[np.float32]]) -> str:
    """float32 (dimensions,) → pgvector's text form, which reads back as the same float32 values."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"


def _embed_halving(images: Sequence[Pixels], embed: Callable[[Pixels], Vectors]) -> list[Vectors | Exception]:
    """A vector or an exception per image; a batch that fails is halved until the culprit is alone."""
    if not images:
        return []
    try:
        vectors = embed(np.stack(images))
    except Exception as error:  # whatever a model raises
        if len(images) == 1 and (isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__):
            raise ModelFailed("memory ran out while embedding one image") from error
        if len(images) == 1:
            logger.warning("the model failed on one image: %s", error)
            return [error]
        middle = len(images) // 2
        return _embed_halving(images[:middle], embed) + _embed_halving(images[middle:], embed)
    return [_checked(vector) for vector in vectors]


def _checked(vector: Vectors) -> Vectors | ImageError:
    """A zero, non-finite or unnormalised vector is never written: it would be found by everything or nothing."""
    if not np.isfinite(vector).all():
        return ImageError("not_finite", "the model answered with a vector that is not finite")
    if abs(float(np.linalg.norm(vector)) - 1) > LENGTH_TOLERANCE:
        return ImageError(
            "not_finite", f"the model answered with a vector of length {np.linalg.norm(vector):.3g}, not 1"
        )
    return vector


def _attributed(error: Exception) -> ImageError:
    return ImageError("model_failed", f"the model failed on this image alone: {type(error).__name__}")
