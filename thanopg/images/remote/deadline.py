"""The total time that one picture may take, whatever is waited for meanwhile."""

from __future__ import annotations

import time


class Deadline:
    """Counts down from now; monotonic seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """0 when it is over."""
        return max(0.0, self._end - time.monotonic())
