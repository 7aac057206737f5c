"""What runs an open_clip model: torch, or for its pictures OpenVINO; in float32 or bfloat16, as a trial on it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch

from thanopg.errors import InvalidArgument
from thanopg.models.device import has_bfloat16
from thanopg.models.openvino_images import has_openvino
from thanopg.models.precision import SMALL, check_precision, first_that_wins
from thanopg.models.towers import Engine, Towers

EngineChoice = Literal["auto", "torch", "openvino"]
ENGINES: tuple[EngineChoice, ...] = ("auto", "torch", "openvino")


def choose_towers(
    precision: str,
    engine: str,
    make: Callable[[Engine, bool], Towers],
    *,
    device: torch.device,
    parameters: int,
    trial: Callable[[Towers], torch.Tensor],
) -> Towers:
    """`make(engine, bfloat16)` builds towers, `trial` embeds a sample with them: float (n, dimensions).

    Raises InvalidArgument for an unknown precision, or an engine that is unknown or not to be had.
    """
    check_precision(precision)
    engines = _engines(engine, device)
    if precision == "bf16":
        return make(engines[0], True)
    exact = make(engines[0], False)
    if parameters < SMALL:
        return exact
    lower = precision == "auto" and has_bfloat16(device)
    # what is expected to be quickest comes first: a trial costs seconds
    others = [(each, True) for each in reversed(engines)] if lower else []
    others += [(each, False) for each in reversed(engines) if each != exact.engine]
    return first_that_wins([lambda way=way: make(*way) for way in others], exact, trial)  # type: ignore[misc]


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
