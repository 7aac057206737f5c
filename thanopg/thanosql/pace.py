"""How fast rows get done while one waits for them, and how long it still takes: first as expected, then as it goes."""

from __future__ import annotations

from collections import deque

RECENT_SECONDS = 30.0
"""what is older says little of now"""
ENOUGH_SECONDS = 5.0
"""that rows must have been getting done for, before their rate is believed"""


class Pace:
    """Of one wait for `total` rows. Hears how many are done, and when."""

    def __init__(self, total: int, expected: float | None) -> None:
        """`expected`: rows per second, if something is known before."""
        self._total = total
        self._expected = expected
        self._seen: deque[tuple[float, int]] = deque()

    def done(self, rows: int, now: float) -> None:
        """Until the first row is done, which a model may be loaded for, no time counts."""
        if rows > 0 and (not self._seen or rows > self._seen[-1][1]):
            self._seen.append((now, rows))
            while len(self._seen) > 2 and now - self._seen[0][0] > RECENT_SECONDS:
                self._seen.popleft()

    @property
    def rate(self) -> float | None:
        """Rows per second: lately, or as expected; None: nobody knows yet."""
        if len(self._seen) >= 2:
            (begun, first), (now, last) = self._seen[0], self._seen[-1]
            if now - begun >= ENOUGH_SECONDS:
                return (last - first) / (now - begun)
        return self._expected

    @property
    def seconds_left(self) -> float | None:
        rate = self.rate
        rows = self._total - (self._seen[-1][1] if self._seen else 0)
        return max(0, rows) / rate if rate else None
