"""Whether a model runs in bfloat16: only if the hardware has it, it is faster, and the vectors stay the same.

Stored vectors must equal plain open_clip's, and a worker on one machine must agree with a service on another. So
`auto` takes bfloat16 only after a trial on this very model, and small models, quick enough as they are, keep float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch.nn import functional

from thanopg.errors import InvalidArgument
from thanopg.models.device import has_bfloat16
from thanopg.models.towers import Towers

Precision = Literal["auto", "fp32", "bf16"]
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16")

SAME = 0.99993
"""smallest cosine to float32 in the trial; the promise is 0.9999, and other pictures differ a little more"""
SMALL = 20_000_000
"""parameters of a model too small for bfloat16 to be worth a doubt"""


class Sample(NamedTuple):
    """What the trial embeds, on the model's device."""

    images: torch.Tensor
    """float32 (n, 3, height, width), scaled"""
    ids: torch.Tensor
    """int64 (m, context length)"""


def choose_towers(
    wanted: str, make: Callable[[bool], Towers], *, device: torch.device, parameters: int, sample: Callable[[], Sample]
) -> Towers:
    """`make(bfloat16)` builds the towers. Raises InvalidArgument for an unknown precision."""
    if wanted not in PRECISIONS:
        raise InvalidArgument(f"expected precision {', '.join(PRECISIONS)}, not {wanted!r}")
    if wanted == "bf16":
        return make(True)
    exact = make(False)
    if wanted == "fp32" or parameters < SMALL or not has_bfloat16(device):
        return exact
    try:
        quick = make(True)
        return quick if _wins(quick, exact, sample()) else exact
    except RuntimeError:  # an architecture with operations that do not mix the two types
        return exact


def _wins(quick: Towers, exact: Towers, sample: Sample) -> bool:
    found, wanted = (torch.cat([t.encode_images(sample.images), t.encode_texts(sample.ids)]) for t in (quick, exact))
    if not functional.cosine_similarity(found, wanted).min() >= SAME:  # a NaN does not win either
        return False
    return _seconds(quick, sample) < _seconds(exact, sample)  # both are warm by now


def _seconds(towers: Towers, sample: Sample) -> float:
    start = time.perf_counter()
    towers.encode_images(sample.images).cpu()
    return time.perf_counter() - start
