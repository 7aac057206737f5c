"""How long an ordinary client waits while the embedding service is attacked, against how long it waits in peace.

There are two services, and only one is attacked; the client asks them by turns, so that what else the machine does
falls on both. Attackers run at the lowest priority, because they stand for other machines.
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
from benchmarks.measure import Bar, Figure
from benchmarks.stack import Stack

PORT = 5433
START_SECONDS = 60.0
WARM_SECONDS = 0.5
FEWEST = 20
"""pairs of calls, however long they take"""
CALM_SECONDS = 0.1
CALM_PERCENT = 10
MOST_LOOKS = 50
THINKING_SECONDS = 0.002
"""of people, between two searches"""
LOWEST = 19
MOST_RATIO = 2.0
"""that is allowed between a latency under attack and in peace"""
BENCHMARK = "latency under attack"


def run(_: Stack, *, quick: bool) -> list[Figure]:
    """A figure per attack, on services of its own. What memory it costs goes to standard error."""
    seconds = 3.0 if quick else 7.0
    figures: list[Figure] = []
    quiet: list[float] = []
    with service() as attacked, service() as peaceful:
        directory, password, process = attacked
        here, there = Client(*attacked[:2]), Client(*peaceful[:2])
        ask_both(here, there, WARM_SECONDS)
        before = process.memory_info().rss
        for kind in KINDS:
            with attackers(kind, directory, password, nice=LOWEST):
                ask_both(here, there, WARM_SECONDS)
                war, peace = ask_both(here, there, seconds)
            quiet += peace
            figures.append(_figure(f"{CLIENTS} clients: {kind}", war, statistics.median(peace), Bar(most=MOST_RATIO)))
            wait_until_calm(process)
        grown = (process.memory_info().rss - before) / 1024**2
    print(f"the service's memory has grown by {grown:.0f} MiB", file=sys.stderr)
    return [_figure("in peace", quiet, statistics.median(quiet)), *figures]


def ask_both(attacked: Client, peaceful: Client, seconds: float) -> tuple[list[float], list[float]]:
    """Milliseconds of each pair of calls, of the one client and of the other: one pair here, one pair there."""
    end = time.perf_counter() + seconds
    war: list[float] = []
    peace: list[float] = []
    while len(war) < FEWEST or time.perf_counter() < end:
        peace.append(peaceful.ask())
        war.append(attacked.ask())
    return war, peace


def _figure(what: str, taken: list[float], baseline: float, bar: Bar | None = None) -> Figure:
    first, median, third = statistics.quantiles(taken, n=4)
    return Figure(benchmark=BENCHMARK, what=what, median=median, spread=third - first, ratio=median / baseline, bar=bar)


def wait_until_calm(process: psutil.Process) -> None:
    """What attackers have sent already is still worked off."""
    for _ in range(MOST_LOOKS):
        if process.cpu_percent(CALM_SECONDS) < CALM_PERCENT:
            return


class Client:
    """One session that asks two texts at a time: a new one, which goes through the model, and one from the cache.

    What is timed is the two together, because a median of two kinds of calls would lie anywhere between them.
    """

    def __init__(self, directory: Path, password: str) -> None:
        self._connection = psycopg.connect(
            f"host={directory} port={PORT} user={USER} password={password} dbname=any", autocommit=True
        )
        self._asked = 0

    def ask(self) -> float:
        """Milliseconds of a pair of calls."""
        self._asked += 1
        return self._timed(f"ordinary {self._asked}") + self._timed("ordinary")

    def _timed(self, text: str) -> float:
        time.sleep(THINKING_SECONDS)
        start = time.perf_counter()
        self._connection.execute("SELECT embed_text(%s, %s)", (text, SOURCE))
        return (time.perf_counter() - start) * 1000


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
