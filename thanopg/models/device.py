"""Where a model runs, and whether bfloat16 is at home there."""

from __future__ import annotations

import torch

from thanopg.errors import InvalidArgument


def choose_device(wanted: str | None = None) -> torch.device:
    """`wanted` (cuda, cuda:N, mps, cpu) if it is there; None takes the first of cuda, mps, cpu.

    Raises InvalidArgument for a device that is unknown or absent.
    """
    if wanted is None or wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _mps() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cuda", "mps", "cpu"):
        raise InvalidArgument(f"expected device cuda, cuda:N, mps or cpu, not {wanted!r}")
    count = {"cpu": 1, "mps": int(_mps()), "cuda": torch.cuda.device_count()}[device.type]
    if (device.index or 0) >= count:
        raise InvalidArgument(f"device {wanted} is not available", hint=f"available: {', '.join(available())}")
    return device


def available() -> tuple[str, ...]:
    """Every device of this machine, best first."""
    cuda = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    return (*cuda, *(("mps",) if _mps() else ()), "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware multiplies bfloat16 faster than float32, not merely somehow."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
    return False


def lower_types(device: torch.device) -> tuple[torch.dtype, ...]:
    """What a trial may find quicker than float32 there, the one to be preferred first.

    Where vectors are not the same in bfloat16, they may be in float16, which has three more bits and a smaller range.
    """
    bfloat16 = (torch.bfloat16,) if has_bfloat16(device) else ()
    return (*bfloat16, torch.float16) if device.type == "cuda" else bfloat16


def _mps() -> bool:
    return bool(torch.backends.mps.is_available())
