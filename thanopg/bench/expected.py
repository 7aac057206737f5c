"""From what was measured to what a worker can be expected to do, and how long that takes, in words."""

from __future__ import annotations

MINUTE, HOUR, DAY = 60, 3600, 86400


def with_writing(images_per_second: float, row_seconds: float, *, processors: int) -> float:
    """Images per second when what a row takes to be written comes on top, by a thread and a server of their own."""
    return 1 / max(1 / images_per_second + row_seconds / processors, row_seconds)


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
