"""How one worker works."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Rows and seconds."""

    batch_size: int = 64
    lease: float = 60.0
    shortest_poll: float = 0.05
    longest_poll: float = 1.0
    reconcile_every: float = 120.0
    deep_reconcile_every: float = 3600.0
    exact: bool = False
    """decode large JPEGs in full, bit for bit as open_clip does, though a draft gives the same vectors for less"""
    trouble_pause: float = 30.0
    """before a column whose model or table made trouble is tried again"""
