"""Counters of one service for Prometheus, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCH = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """Names are the interface: thanopg_calls_total, thanopg_call_seconds, …"""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "thanopg_calls", "Calls by function and SQLSTATE", ("function", "sqlstate"), registry=self.registry
        )
        self._seconds = Histogram(
            "thanopg_call_seconds",
            "Time from request to answer, cached answers left out",
            ("function",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "thanopg_batch_size", "Items per forward pass", ("kind",), buckets=BATCH, registry=self.registry
        )
        self._pass = Histogram(
            "thanopg_forward_seconds", "Time of forward passes", ("kind",), buckets=SECONDS, registry=self.registry
        )
        self._hits = Counter("thanopg_cache_hits", "Texts answered from the cache", registry=self.registry)
        self._misses = Counter("thanopg_cache_misses", "Texts that a model had to embed", registry=self.registry)
        self._failed_logins = Counter("thanopg_failed_logins", "Wrong passwords", registry=self.registry)
        self._cached_call = self._calls.labels("embed_text", "00000")

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is looked up when it is asked for."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def call(self, function: str, sqlstate: str, seconds: float) -> None:
        self._calls.labels(function, sqlstate).inc()
        self._seconds.labels(function).observe(seconds)

    def cache_hit(self) -> None:
        self._hits.inc()
        self._cached_call.inc()

    def cache_miss(self) -> None:
        self._misses.inc()

    def forward(self, kind: str, size: int, seconds: float) -> None:
        self._batch.labels(kind).observe(size)
        self._pass.labels(kind).observe(seconds)

    def failed_login(self) -> None:
        self._failed_logins.inc()

    def page(self) -> bytes:
        return generate_latest(self.registry)
