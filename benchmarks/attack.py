"""How long an ordinary client waits while the embedding service is attacked, against how long it waits in peace.

Service, attackers and client are processes of their own. Attackers are stopped and let go on in short turns, so that
what else the machine does falls on both; they run at the lowest priority, because they stand for other machines.
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
SLICE_SECONDS = 0.3
SETTLE_SECONDS = 0.1
CALM_PERCENT = 10
LOWEST = 19
BENCHMARK = "latency under attack"


def run(*, rounds: int) -> list[Figure]:
    """A figure per attack: the median of its rounds' ratios. The service's memory goes to standard error."""
    figures: list[Figure] = []
    quiet: list[float] = []
    with service() as (directory, password, process):
        client = Client(directory, password)
        client.ask(SLICE_SECONDS)
        before = process.memory_info().rss
        for kind in KINDS:
            peace, war, ratios = [], [], []
            with attackers(kind, directory, password, nice=LOWEST) as attacker:
                client.ask(SLICE_SECONDS)
                for _ in range(rounds):
                    attacker.suspend()
                    wait_until_calm(process)
                    peace.append(statistics.median(client.ask(SLICE_SECONDS)))
                    attacker.resume()
                    client.ask(SETTLE_SECONDS)
                    war.append(statistics.median(client.ask(SLICE_SECONDS)))
                    ratios.append(war[-1] / peace[-1])
            quiet += peace
            figures.append(_figure(f"{CLIENTS} clients: {kind}", war, statistics.median(ratios)))
        grown = (process.memory_info().rss - before) / 1024**2
        print(f"the service's memory has grown by {grown:.0f} MiB", file=sys.stderr)
    return [_figure("in peace", quiet, 1.0), *figures]


def _figure(what: str, medians: list[float], ratio: float) -> Figure:
    first, _, third = statistics.quantiles(medians, n=4)
    return Figure(
        benchmark=BENCHMARK, what=what, median_ms=statistics.median(medians), spread_ms=third - first, ratio=ratio
    )


def wait_until_calm(process: psutil.Process) -> None:
    """What attackers have sent already is part of the attack."""
    for _ in range(50):
        if process.cpu_percent(0.1) < CALM_PERCENT:
            return


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
def attackers(
    kind: str, directory: Path, password: str, *, clients: int = CLIENTS, nice: int = 0
) -> Iterator[psutil.Process]:
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
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()
