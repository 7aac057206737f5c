"""Worker processes, the service's process and the server itself, and what can befall them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg

from tests.command import command_line, environment
from thanopg.database.connect import connect
from thanopg.database.postmaster import find_postmaster
from thanopg.database.server import EmbeddedServer

LEASE = 2.0
STOP_SECONDS = 30.0


class Workers:
    """A number of worker processes that are replaced when they end."""

    def __init__(self, number: int, url: str, root: Path, journal: Path, log: Path) -> None:
        arguments = [url, str(root), str(LEASE), str(journal)]
        self._command = [sys.executable, "-P", "-m", "tests.faults.worker_process", *arguments]
        self._log = log.open("ab")
        self.number = number
        self.started = 0
        self._processes = [self._start() for _ in range(number)]
        self._armed: dict[int, str] = {}
        self._thawing: list[threading.Timer] = []

    def _start(self, armed: str = "") -> subprocess.Popen[bytes]:
        self.started += 1
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment(THANOPG_FAULT_POINT=armed),
        )

    def kill(self, n: int) -> None:
        self._processes[n].kill()
        self._replace(n)

    def arm(self, n: int, armed: str) -> None:
        """Replace worker `n` in order by one that will die, or freeze, at a point of its own."""
        self.terminate(n, armed)

    def terminate(self, n: int, armed: str = "") -> int:
        """SIGTERM: what is under way is written. Returns the exit status."""
        process = self._processes[n]
        process.terminate()
        process.send_signal(signal.SIGCONT)
        status = process.wait(STOP_SECONDS)
        self._processes[n] = self._start(armed)
        self._armed[n] = armed
        return status

    def freeze(self, n: int, seconds: float) -> None:
        process = self._processes[n]
        process.send_signal(signal.SIGSTOP)
        self._thaw(process, seconds)

    def _thaw(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        timer = threading.Timer(seconds, process.send_signal, [signal.SIGCONT])
        timer.start()
        self._thawing.append(timer)

    def look(self) -> list[str]:
        """Replaces those that have ended and thaws those that froze by themselves; returns what befell them."""
        seen = []
        for n, process in enumerate(self._processes):
            armed = self._armed.get(n, "")
            if process.poll() is not None:
                died = process.returncode == -signal.SIGKILL
                seen.append(f"worker killed at {armed.split(':')[0]}" if died and armed else "worker ended by itself")
                self._replace(n)
            elif armed.endswith("STOP") and _is_stopped(process.pid):
                seen.append(f"worker frozen at {armed.split(':')[0]}")
                self._armed[n] = ""
                self._thaw(process, 1.5 * LEASE)
        return seen

    def _replace(self, n: int) -> None:
        self._processes[n].wait(STOP_SECONDS)
        self._processes[n] = self._start()
        self._armed[n] = ""

    def disarm(self) -> None:
        """All of them plain and awake, for the settling."""
        for timer in self._thawing:
            timer.join()
        for n in range(self.number):
            self.terminate(n)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for timer in self._thawing:
            timer.cancel()
        for process in self._processes:
            process.kill()
            process.wait()
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
        with contextlib.suppress(psycopg.Error), self._session() as session:
            row = session.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'thanopg worker' ORDER BY random() LIMIT 1"
            ).fetchone()
            if row:
                os.kill(row[0], signal.SIGKILL)

    def cut(self, *, all_workers: bool) -> None:
        """pg_terminate_backend on a worker's session, or on every client's."""
        with contextlib.suppress(psycopg.Error), self._session() as session:
            session.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND (%s OR application_name = 'thanopg worker') "
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
