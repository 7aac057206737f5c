"""How many processors this process may use: as a container or `taskset` has it, not as the machine has."""

from __future__ import annotations

import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""of a container: `200000 100000` are two processors, `max 100000` all"""


def processors(quota: Path = QUOTA) -> int:
    """At least 1."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        allowed, period = quota.read_text().split()
        return max(1, min(there, round(int(allowed) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):  # no container, or no limit
        return there
