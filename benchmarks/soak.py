"""Whether the memory of `thanopg worker` and `thanopg serve` stays as it is, over an hour of ordinary use.

They run on a server of their own. Memory is what the processes hold resident, those that decode added up; the first
sixth of the time is for caches to fill. Every minute goes to standard error.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from benchmarks.measure import Bar, Figure
from benchmarks.soak_client import Shop
from benchmarks.stack import Stack, running_server
from thanopg.database.connect import connect

MINUTES, QUICK_MINUTES = 60.0, 2.0
WARM_UP = 1 / 6
"""of the time"""
STOCK, QUICK_STOCK = 4000, 400
"""rows at the beginning"""
SAMPLE_SECONDS = 15.0
SAID_EVERY = 4
TURN_SECONDS = 0.1
START_SECONDS, END_SECONDS = 120.0, 60.0
MOST_SECONDS = 5.0
"""that a turn can take unless this process was stopped"""
BEHIND = 2000
"""rows may wait before nothing new comes: other programs have the machine"""
MOST_GROWTH = Bar(most=1.05)
MEBIBYTE = 1024**2

Series = list[tuple[float, float]]
"""seconds since the beginning, MiB"""


def run(_: Stack, *, quick: bool) -> list[Figure]:
    """MiB of each process; the ratio is the largest of the second half over the largest of the first."""
    seconds = 60 * (QUICK_MINUTES if quick else MINUTES)
    with ExitStack() as stack:
        server, directory = stack.enter_context(running_server())
        shop = Shop(server.url, directory / "pictures", stock=QUICK_STOCK if quick else STOCK)
        stack.callback(shop.close)
        ours = [sys.executable, "-m", "thanopg", "--home", str(server.home.path)]
        service = stack.enter_context(_process([*ours, "serve"], directory / "service.log", "listening"))
        worker = stack.enter_context(
            _process(
                [*ours, "worker", "--image-root", str(directory / "pictures")], directory / "worker.log", "working"
            )
        )
        held: Mapping[str, Callable[[], float]] = {
            "worker": lambda: _resident(worker),
            "service": lambda: _resident(service),
            "the worker's connections, in the server": lambda: _connections(server.superuser_url),
        }
        series = _soak(shop, held, seconds)
        embedded, failed = shop.done()
    print(
        f"{shop.rows:,} rows, {shop.searches:,} searches ({shop.unanswered:,} unanswered), "
        f"{shop.refused:,} queries by what is no picture; at the end {embedded:,} vectors and {failed:,} failures",
        file=sys.stderr,
    )
    title = f"memory over {seconds / 60:.0f} minutes"
    bars = {"worker": MOST_GROWTH, "service": MOST_GROWTH}
    return [figure for what, taken in series.items() for figure in figures(title, what, taken, bars.get(what))]


def figures(title: str, what: str, series: Series, bar: Bar | None) -> list[Figure]:
    """Largest of the second half against that of the first, and the slope of a line through all, by the hour."""
    begin, end = series[0][0], series[-1][0]
    warm = [(at, held) for at, held in series if at - begin >= WARM_UP * (end - begin)]
    half = (warm[0][0] + end) / 2
    early = max(held for at, held in warm if at < half)
    late = max(held for at, held in warm if at >= half)
    slope = 3600 * statistics.linear_regression(*zip(*warm, strict=True)).slope
    typical = statistics.median(held for _, held in warm)
    return [
        Figure(benchmark=title, what=f"{what}, largest", median=late, unit="MiB", ratio=late / early, bar=bar),
        Figure(benchmark=title, what="  slope, against the median", median=slope, unit="MiB/h", ratio=slope / typical),
    ]


def _soak(shop: Shop, held: Mapping[str, Callable[[], float]], seconds: float) -> dict[str, Series]:
    """Time in which this process did not run does not count."""
    series: dict[str, Series] = {what: [] for what in held}
    awake, last, behind = 0.0, time.monotonic(), False
    while True:
        if awake >= len(series["worker"]) * SAMPLE_SECONDS:
            for what, look in held.items():
                series[what].append((awake, look()))
            behind = (pending := shop.pending()) > BEHIND
            if len(series["worker"]) % SAID_EVERY == 1:
                _say(awake, series, f"{shop.rows:,} rows, {shop.searches:,} searches, {pending:,} pending")
        if awake >= seconds:
            return series
        shop.turn(closed=behind)
        time.sleep(max(0.0, last + TURN_SECONDS - time.monotonic()))
        now = time.monotonic()
        awake, last = awake + min(now - last, MOST_SECONDS), now


def _say(at: float, series: Mapping[str, Series], done: str) -> None:
    held = ", ".join(f"{what} {taken[-1][1]:,.1f}" for what, taken in series.items())
    print(f"{at / 60:5.1f} min: {held} MiB; {done}", file=sys.stderr, flush=True)


def _resident(process: psutil.Process) -> float:
    """MiB of the process and of those that it has started."""
    family = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in family)) / MEBIBYTE


def _connections(url: str) -> float:
    """MiB that the worker's backends have for themselves: shared buffers fill whatever it does."""
    with connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'thanopg worker%'"
        ).fetchall()
    return float(sum(psutil.Process(pid).memory_full_info().uss for (pid,) in rows)) / MEBIBYTE


@contextmanager
def _process(command: Sequence[str], log: Path, ready: str) -> Iterator[psutil.Process]:
    """Runs inside the block, and must not have ended before."""
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=file, stderr=file)
        try:
            _wait_until_said(ready, log, process)
            yield psutil.Process(process.pid)
        finally:
            _end(process)


def _wait_until_said(word: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while word not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"it did not start: {log.read_text()}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.terminate()
    process.wait(END_SECONDS)
