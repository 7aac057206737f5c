"""The middle of the pipeline: waits for a batch's contents, runs the model, hands on what is to be written."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from thanopg.errors import ImageError, ModelFailed, NotSupported, ThanopgError
from thanopg.models.embedder import Pixels
from thanopg.worker.claim import Claim, Made, Prepared, Written
from thanopg.worker.make import make_prepared
from thanopg.worker.maker import Maker
from thanopg.worker.recent import Recent
from thanopg.worker.settle import SURROUNDINGS_BACKOFF, Tally

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A claim under way: its rows are being read and decoded."""

    claim: Claim
    maker: Maker
    recent: Recent
    futures: Sequence[Future[Prepared]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A claim with its results. `backoff`: nothing came of it, and it was no row's fault.

    `refusal`: it was the column's, whose model can't do what is asked of it.
    """

    claim: Claim
    written: Sequence[Written] = ()
    prepared: Sequence[Prepared] = ()
    backoff: timedelta | None = None
    refusal: NotSupported | None = None


def forward(batch: Batch, tally: Tally) -> Outcome:
    """Rows with a fault of their own stay in `prepared`; a fault of the surroundings gives the whole claim back."""

    def make(materials: Sequence[Pixels | str]) -> list[Made | ImageError]:
        tally.model_calls += 1
        return batch.maker.make(materials)

    try:
        prepared = [future.result() for future in batch.futures]
        sound = [row for row in prepared if row.fault is None and not row.unchanged]
        written, failed = make_prepared(sound, make, batch.recent)
    except NotSupported as error:
        return Outcome(claim=batch.claim, backoff=SURROUNDINGS_BACKOFF, refusal=error)
    except ModelFailed as error:
        logger.error("%s: %s", error, error.__cause__, exc_info=error.__cause__)
        return Outcome(claim=batch.claim, backoff=SURROUNDINGS_BACKOFF)
    except ThanopgError as error:
        logger.error("%s; trying again", error)
        return Outcome(claim=batch.claim, backoff=SURROUNDINGS_BACKOFF)
    except Exception:
        logger.exception("a batch of %s failed; trying again", batch.claim.column.label)
        return Outcome(claim=batch.claim, backoff=SURROUNDINGS_BACKOFF)
    faults = {row.row.key: row for row in failed}
    return Outcome(claim=batch.claim, written=written, prepared=[faults.get(row.row.key, row) for row in prepared])
