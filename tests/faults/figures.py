"""What one run did, counted by several threads, and how it is told."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Figures:
    seed: int
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """statements that PostgreSQL refused to a driver or an asker, by SQLSTATE"""
    answers: int = 0
    rows: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    written: int = 0
    set_aside_innocent: int = 0
    model_calls: int = 0
    model_images: int = 0
    distinct_images: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, counter: Counter[str], name: str) -> None:
        with self._lock:
            counter[name] += 1

    @property
    def kills(self) -> int:
        """Worker processes that lost what they remembered."""
        return sum(number for name, number in self.faults.items() if "worker" in name and "frozen" not in name)

    def lines(self) -> list[str]:
        def told(counter: Counter[str]) -> str:
            return ", ".join(f"{name} {number}" for name, number in sorted(counter.items())) or "none"

        again = (self.model_images - self.distinct_images) / max(self.kills, 1)
        return [
            f"seed {self.seed}: {self.operations.total()} operations, {self.faults.total()} faults, "
            f"{self.rows} rows checked, 0 lost, 0 stale, 0 pending",
            f"  operations: {told(self.operations)}",
            f"  faults: {told(self.faults)}",
            f"  refused to drivers: {told(self.refused)}; searches answered {self.answers}",
            f"  failures, all planted: {told(self.failures)}; "
            f"innocent rows set aside after three lost workers: {self.set_aside_innocent}",
            f"  vectors and captions written {self.written}; model calls {self.model_calls} for {self.model_images} "
            f"contents, {self.distinct_images} distinct; {again:.1f} of them given again per killed worker",
        ]
