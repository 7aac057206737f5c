"""Whether a model runs in bfloat16: only if the hardware has it, it is faster, and the vectors stay the same.

Stored vectors must equal plain float32's, and a worker on one machine must agree with a service on another. So
`auto` takes bfloat16 only after a trial on this very model, and small models, quick enough as they are, keep float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar

import torch
from torch.nn import functional

from thanopg.errors import InvalidArgument
from thanopg.models.device import has_bfloat16

Precision = Literal["auto", "fp32", "bf16"]
PRECISIONS: tuple[Precision, ...] = ("auto", "fp32", "bf16")

SAME = 0.99993
"""smallest cosine to float32 in the trial; the promise is 0.9999, and other pictures differ a little more"""
SMALL = 20_000_000
"""parameters of a model too small for bfloat16 to be worth a doubt"""

Runner = TypeVar("Runner")


def check_precision(wanted: str) -> None:
    """Raises InvalidArgument for an unknown one."""
    if wanted not in PRECISIONS:
        raise InvalidArgument(f"expected precision {', '.join(PRECISIONS)}, not {wanted!r}")


def choose_precision(
    wanted: str,
    make: Callable[[bool], Runner],
    *,
    device: torch.device,
    parameters: int,
    trial: Callable[[Runner], torch.Tensor],
) -> Runner:
    """`make(bfloat16)` builds what runs the model, `trial` embeds a sample with it: float (n, dimensions).

    Raises InvalidArgument for an unknown precision.
    """
    check_precision(wanted)
    if wanted == "bf16":
        return make(True)
    exact = make(False)
    if wanted == "fp32" or parameters < SMALL or not has_bfloat16(device):
        return exact
    return first_that_wins([lambda: make(True)], exact, trial)


class Outcome(NamedTuple):
    """Of one trial."""

    cosine: float
    """smallest, to float32's vectors"""
    seconds: float
    """that the sample took"""


def unheard(runner: object, outcome: Outcome) -> None:
    """For those who don't want to know."""


def first_that_wins(
    others: Sequence[Callable[[], Runner]],
    exact: Runner,
    trial: Callable[[Runner], torch.Tensor],
    tell: Callable[[Runner, Outcome], None] = unheard,
) -> Runner:
    """The first of the others whose sample is the same as the exact one's, and quicker; else the exact one.

    `tell` hears of each that was tried and could do it at all.
    """
    if not others:
        return exact
    wanted = trial(exact)
    to_beat = _seconds(exact, trial)
    tell(exact, Outcome(1.0, to_beat))
    for make in others:
        try:
            runner = make()
            cosine = float(functional.cosine_similarity(trial(runner), wanted).min())
        except RuntimeError:  # operations that do not mix the two types, or that an engine does not know
            continue
        seconds = _seconds(runner, trial)
        tell(runner, Outcome(cosine, seconds))
        if cosine >= SAME and seconds < to_beat:  # a NaN is not the same
            return runner
    return exact


def _seconds(runner: Runner, trial: Callable[[Runner], torch.Tensor]) -> float:
    """They are warm by now."""
    start = time.perf_counter()
    trial(runner).cpu()
    return time.perf_counter() - start
