"""Worker processes, the service's process and the server itself, and what can befall them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from tests.command import command_line, environment
from thanopg.database.connect import connect
from thanopg.database.postmaster import find_postmaster
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable

LEASE = 2.0
STOP_SECONDS = 30.0
POINT_SECONDS = 12.0
"""so long a worker is left alone until it reaches its point"""


@dataclass(frozen=True)
class _Worker:
    process: subprocess.Popen[bytes]
    armed: str
    since: float


class Workers:
    """A worker process per URL, replaced when it ends. `arm()` says where the next one is to die."""

    def __init__(self, urls: Sequence[str], root: Path, journal: Path, log: Path, arm: Callable[[], str]) -> None:
        self._urls = urls
        self._arguments = [str(root), str(LEASE), str(journal)]
        self._log = log.open("ab")
        self._arm = arm
        self.started = 0
        self._thawing: list[threading.Timer] = []
        self._workers = [self._start(n) for n in range(len(urls))]

    def _start(self, n: int, *, armed: bool = True) -> _Worker:
        self.started += 1
        point = self._arm() if armed else ""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.faults.worker_process", self._urls[n], *self._arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(THANOPG_FAULT_POINT=point),
        )
        return _Worker(process, point, time.monotonic())

    def choose(self, n: int) -> int | None:
        """Worker `n`, unless it is on its way to a point of its own."""
        worker = self._workers[n]
        return None if worker.armed and time.monotonic() - worker.since < POINT_SECONDS else n

    def kill(self, n: int) -> None:
        self._workers[n].process.kill()
        self._workers[n].process.wait(STOP_SECONDS)
        self._workers[n] = self._start(n)

    def terminate(self, n: int, *, armed: bool = True) -> None:
        """SIGTERM: what is under way is written, and the process ends in order."""
        process = self._workers[n].process
        process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None:
            assert time.monotonic() < deadline, "the worker did not end"
            process.send_signal(signal.SIGCONT)  # it may yet freeze at its point
            time.sleep(0.05)
        self._workers[n] = self._start(n, armed=armed)

    def freeze(self, n: int) -> None:
        self._workers[n].process.send_signal(signal.SIGSTOP)
        self._thaw(self._workers[n].process)

    def _thaw(self, process: subprocess.Popen[bytes]) -> None:
        timer = threading.Timer(1.5 * LEASE, process.send_signal, [signal.SIGCONT])
        timer.start()
        self._thawing.append(timer)

    def look(self) -> list[str]:
        """Replaces those that have ended and thaws those that froze by themselves; returns what befell them."""
        seen = []
        for n, worker in enumerate(self._workers):
            point = worker.armed.split(":")[0]
            if worker.process.poll() is not None:
                died = worker.process.returncode == -signal.SIGKILL
                seen.append(f"worker killed at {point}" if died and point else "worker ended by itself")
                self._workers[n] = self._start(n)
            elif worker.armed.endswith("STOP") and _is_stopped(worker.process.pid):
                seen.append(f"worker frozen at {point}")
                self._workers[n] = replace(worker, armed="")
                self._thaw(worker.process)
        return seen

    def disarm(self) -> None:
        """All of them plain and awake, for the settling."""
        for timer in self._thawing:
            timer.join()
        for n in range(len(self._workers)):
            self.terminate(n, armed=False)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for timer in self._thawing:
            timer.cancel()
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()
        self._log.close()


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
    except OSError:
        return False


class ServiceProcess:
    """`thanopg serve` beside the server of a home."""

    def __init__(self, home: Path, log: Path) -> None:
        self._home = home
        self._log = log.open("ab")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command_line("serve", "--home", self._home),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(),
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = self._start()

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


class ServerFaults:
    """What can befall PostgreSQL."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server

    def restart(self) -> None:
        self._server.stop()
        self._server.start()

    def crash(self) -> None:
        """Immediate stop: no checkpoint, recovery at the start."""
        self._quit(signal.SIGQUIT)
        self._server.start()

    def lose_backend(self) -> None:
        """SIGKILL to one session's process: the server throws everybody out and recovers."""
        with contextlib.suppress(psycopg.Error, DatabaseUnavailable), self._session() as session:
            row = session.execute(
                "SELECT pid FROM pg_stat_activity WHERE starts_with(application_name, 'thanopg worker') "
                "ORDER BY random() LIMIT 1"
            ).fetchone()
            if row:
                os.kill(row[0], signal.SIGKILL)

    def cut(self, *, all_workers: bool) -> None:
        """pg_terminate_backend on a worker's session, or on every client's."""
        with contextlib.suppress(psycopg.Error, DatabaseUnavailable), self._session() as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND (%s OR starts_with(application_name, 'thanopg worker')) "
                "ORDER BY random() LIMIT %s) s",
                (all_workers, 1000 if all_workers else 1),
            )

    def _session(self) -> psycopg.Connection:
        return connect(self._server.superuser_url, application_name="harness", autocommit=True)

    def _quit(self, number: signal.Signals) -> None:
        postmaster = find_postmaster(self._server.home.data)
        assert postmaster is not None
        os.kill(postmaster.pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while find_postmaster(self._server.home.data) is not None:
            assert time.monotonic() < deadline, "the server did not end"
            time.sleep(0.01)
