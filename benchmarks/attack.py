"""How long an ordinary client waits while the embedding service is attacked, against how long it waits in peace.

Service, attackers and client are processes of their own. Peace and each attack alternate; the attackers run at the
lowest priority, because they stand for other machines.
"""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from benchmarks.attackers import CLIENTS, KINDS, SOURCE, USER
from benchmarks.measure import Figure

PORT = 5433
START_SECONDS = 60.0
WARM_UP_SECONDS = 0.5
LOWEST = 19
BENCHMARK = "latency under attack"


def run(*, rounds: int, seconds: float) -> list[Figure]:
    """`seconds` of asking per attack and round. A figure per attack, and the service's memory on standard error."""
    peace: dict[str, list[float]] = {kind: [] for kind in KINDS}
    war: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with service() as (directory, password, process):
        client = Client(directory, password)
        client.ask(WARM_UP_SECONDS)
        before = process.memory_info().rss
        for _ in range(rounds):
            for kind in KINDS:
                peace[kind] += client.ask(seconds)
                with attackers(kind, directory, password, nice=LOWEST):
                    client.ask(WARM_UP_SECONDS)
                    war[kind] += client.ask(seconds)
        grown = (process.memory_info().rss - before) / 1024**2
        print(f"the service's memory has grown by {grown:.0f} MiB", file=sys.stderr)
    quiet = statistics.median(taken for times in peace.values() for taken in times)
    figures = [Figure(benchmark=BENCHMARK, what="in peace", median_ms=quiet, spread_ms=_spread(peace), ratio=1.0)]
    for kind, times in war.items():
        median = statistics.median(times)
        figures.append(
            Figure(
                benchmark=BENCHMARK,
                what=f"{CLIENTS} clients: {kind}",
                median_ms=median,
                spread_ms=_spread({kind: times}),
                ratio=median / statistics.median(peace[kind]),
            )
        )
    return figures


class Client:
    """One session; every second text is new and goes through the model, the others come from the cache."""

    def __init__(self, directory: Path, password: str) -> None:
        self._connection = psycopg.connect(
            f"host={directory} port={PORT} user={USER} password={password} dbname=any", autocommit=True
        )
        self._asked = 0

    def ask(self, seconds: float) -> list[float]:
        """Milliseconds of each call."""
        end = time.perf_counter() + seconds
        taken = []
        while time.perf_counter() < end:
            self._asked += 1
            text = f"ordinary {self._asked}" if self._asked % 2 else "ordinary"
            start = time.perf_counter()
            self._connection.execute("SELECT embed_text(%s, %s)", (text, SOURCE))
            taken.append((time.perf_counter() - start) * 1000)
            time.sleep(0.002)  # people think between two searches
        return taken


@contextmanager
def service(*options: str) -> Iterator[tuple[Path, str, psutil.Process]]:
    """`thanopg serve` on a socket of its own: its directory, password and process."""
    directory = Path(tempfile.mkdtemp(prefix="thanopg-benchmark-"))
    password = secrets.token_urlsafe(12)
    process = subprocess.Popen(
        [sys.executable, "-m", "thanopg", "serve", "--socket-directory", directory, "--until-stdin-closes", *options],
        env={**os.environ, "THANOPG_SERVICE_PASSWORD": password},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        if "listening" not in said:
            raise RuntimeError(f"the service did not start: {said}")
        yield directory, password, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        shutil.rmtree(directory)


@contextmanager
def attackers(kind: str, directory: Path, password: str, *, clients: int = CLIENTS, nice: int = 0) -> Iterator[None]:
    """The attack is under way inside the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.attackers", kind, str(clients), directory, str(PORT), password],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, nice)
        assert process.stdout is not None
        process.stdout.readline()
        yield
    finally:
        process.kill()
        process.wait()


def _spread(times: dict[str, list[float]]) -> float:
    first, _, third = statistics.quantiles([taken for some in times.values() for taken in some], n=4)
    return third - first
