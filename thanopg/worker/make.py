"""From contents to what is written: one forward pass per batch, halved around what a model can't digest.

Identical contents are given to the model once: within a batch, and while its results are remembered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from thanopg.errors import ImageError, ModelFailed, NotSupported
from thanopg.models.embedder import Pixels
from thanopg.worker.adoption import compared
from thanopg.worker.claim import Made, Prepared, Written
from thanopg.worker.recent import Recent

logger = logging.getLogger(__name__)

Make = Callable[[Sequence[Pixels | str]], list[Made | ImageError]]


def make_prepared(prepared: Sequence[Prepared], make: Make, recent: Recent) -> tuple[list[Written], list[Prepared]]:
    """Prepared rows without fault → what is to be written, and the rows at which the model failed.

    Rows whose remembered result was forgotten meanwhile are in neither list: they are to be released.
    Raises ModelFailed when the model failed on every row of the batch: that is no row's fault. Raises NotSupported when
    it can't do what is asked of it at all.
    """
    materials: dict[bytes, Pixels | str] = {}
    for row in prepared:
        content = row.content
        if content is not None and content.material is not None and content.content_hash not in recent:
            materials.setdefault(content.content_hash, content.material)
    outcomes = _make_halving(list(materials.values()), make)
    if len(outcomes) > 1 and all(_speaks_of_the_model(outcome) for outcome in outcomes):
        raise ModelFailed() from next(o for o in outcomes if isinstance(o, Exception))
    faults: dict[bytes, ImageError] = {}
    made: dict[bytes, Made] = {}
    for content_hash, outcome in zip(materials, outcomes, strict=True):
        if isinstance(outcome, Exception):
            faults[content_hash] = outcome if isinstance(outcome, ImageError) else _attributed(outcome)
        else:
            made[content_hash] = outcome
            recent.put(content_hash, outcome)

    written: list[Written] = []
    failed: list[Prepared] = []
    for row in prepared:
        content = row.content
        if content is None:
            written.append(Written(row=row.row))
        elif content.content_hash in faults:
            failed.append(Prepared(row=row.row, fault=faults[content.content_hash]))
        elif result := made.get(content.content_hash) or recent.get(content.content_hash):
            outcome = result if row.row.adopted is None else compared(row.row.adopted, result)
            if isinstance(outcome, ImageError):
                failed.append(Prepared(row=row.row, fault=outcome))
            else:
                written.append(
                    Written(
                        row=row.row,
                        made=outcome,
                        content_hash=content.content_hash,
                        size=content.size,
                        modified=content.modified,
                        etag=content.etag,
                    )
                )
    return written, failed


def _make_halving(materials: Sequence[Pixels | str], make: Make) -> Sequence[Made | Exception]:
    """A result or an exception per material; a batch that fails is halved until the culprit is alone."""
    if not materials:
        return []
    try:
        return make(materials)
    except NotSupported:  # it says so of whatever it is given
        raise
    except Exception as error:  # whatever a model raises
        if len(materials) == 1 and (isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__):
            raise ModelFailed("memory ran out over one row alone") from error
        if len(materials) == 1:
            logger.warning("the model failed on one row: %s", error)
            return [error]
        middle = len(materials) // 2
        return [*_make_halving(materials[:middle], make), *_make_halving(materials[middle:], make)]


def _speaks_of_the_model(outcome: Made | Exception) -> bool:
    """Would it, met on every row, be the model's fault? Two pictures of nothing may well have no caption."""
    return isinstance(outcome, Exception) and getattr(outcome, "fault", None) != "unusable_caption"


def _attributed(error: Exception) -> ImageError:
    return ImageError("model_failed", f"the model failed on this row alone: {type(error).__name__}")
