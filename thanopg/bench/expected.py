"""From what each part of a worker's work costs alone to what a worker can do, and how long that takes, in words."""

from __future__ import annotations

from dataclasses import dataclass

MINUTE, HOUR, DAY = 60, 3600, 86400


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds an image."""

    decode: float
    """of one processor"""
    forward: float
    """from begin to end, whatever it runs on"""
    forward_cpu: float
    """of one processor"""
    write: float = 0.0
    """from begin to end, the database included; 0: not measured"""


def images_per_second(costs: Costs, *, decoders: int, processors: int) -> float:
    """The stages overlap, so the slowest sets the pace; and what runs on this machine shares its processors."""
    shared = (costs.decode + costs.forward_cpu + costs.write) / processors
    return 1 / max(costs.decode / min(decoders, processors), costs.forward, costs.write, shared)


def in_words(seconds: float) -> str:
    """A length of time to one unit, as thanopg.in_words has it: 3 minutes."""
    if seconds < 1.5:
        return "1 second"
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    if seconds < 90 * MINUTE:
        return f"{seconds / MINUTE:.0f} minutes"
    if seconds < 36 * HOUR:
        return f"{seconds / HOUR:.0f} hours"
    return f"{seconds / DAY:,.0f} days"


def rate_in_words(rate: float) -> str:
    """Rows or images per second."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
