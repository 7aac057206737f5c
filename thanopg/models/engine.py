"""What runs an open_clip model's towers: torch or OpenVINO, in float32 or lower, as a trial on it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

from thanopg.errors import InvalidArgument
from thanopg.models.device import lower_types
from thanopg.models.openvino_towers import has_openvino
from thanopg.models.precision import SMALL, Outcome, check_precision, first_that_wins, unheard
from thanopg.models.text_tower import TextEncoder
from thanopg.models.towers import Engine, Towers

EngineChoice = Literal["auto", "torch", "openvino"]
ENGINES: tuple[EngineChoice, ...] = ("auto", "torch", "openvino")


def choose_towers(
    precision: str,
    engine: str,
    make: Callable[[Engine, torch.dtype], Towers],
    *,
    device: torch.device,
    parameters: int,
    trial: Callable[[Towers], torch.Tensor],
    tell: Callable[[Towers, Outcome], None] = unheard,
) -> Towers:
    """`make(engine, dtype)` builds towers, `trial` embeds a sample with them: float (n, dimensions).

    Raises InvalidArgument for an unknown precision, or an engine that is unknown or not to be had.
    """
    check_precision(precision)
    engines = _engines(engine, device)
    if precision == "bf16":
        return make(engines[0], torch.bfloat16)
    exact = make(engines[0], torch.float32)
    if parameters < SMALL:
        return exact
    lower = lower_types(device) if precision == "auto" else ()
    # what is expected to be quickest comes first: a trial costs seconds
    others = [(each, dtype) for dtype in lower for each in reversed(engines)]
    others += [(each, torch.float32) for each in reversed(engines) if each != exact.engine]
    return first_that_wins([lambda way=way: make(*way) for way in others], exact, trial, tell)  # type: ignore[misc]


def choose_texts(
    engine: str,
    encoder: TextEncoder,
    compiled: Callable[[], TextEncoder],
    *,
    device: torch.device,
    parameters: int,
    trial: Callable[[TextEncoder], torch.Tensor],
    tell: Callable[[TextEncoder, Outcome], None] = unheard,
) -> TextEncoder:
    """The model's own encoder, or the one that OpenVINO `compiled` where that is quicker. Raises InvalidArgument."""
    if "openvino" not in _engines(engine, device) or parameters < SMALL:
        return encoder
    return first_that_wins([compiled], encoder, trial, tell)


def _engines(wanted: str, device: torch.device) -> tuple[Engine, ...]:
    if wanted not in ENGINES:
        raise InvalidArgument(f"expected engine {', '.join(ENGINES)}, not {wanted!r}")
    if wanted == "openvino":
        if device.type != "cpu":
            raise InvalidArgument(f"OpenVINO runs on the CPU, not on {device}", hint="leave out --engine, or --device")
        if not has_openvino():
            raise InvalidArgument("OpenVINO is not installed", hint="pip install 'thanopg[openvino]'")
        return ("openvino",)
    if wanted == "auto" and device.type == "cpu" and has_openvino():
        return ("torch", "openvino")
    return ("torch",)
