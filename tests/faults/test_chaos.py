"""Random changes while workers, service and server are killed at every step: then nothing is lost or stale.

The suite runs 20 s; `pytest -m long tests/faults` runs 30 seeds of 60 s. THANOPG_CHAOS_SEED replays one seed,
THANOPG_CHAOS_SECONDS says for how long.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.faults import checks
from tests.faults.conftest import owner, role_url
from tests.faults.driver import Driver
from tests.faults.figures import Figures
from tests.faults.pictures import FILES, Pictures
from tests.faults.points import POINTS
from tests.faults.processes import ServerFaults, ServiceProcess, Workers
from tests.faults.tables import TARGETS, create_tables
from thanopg.database.connect import connect
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable

WORKERS = 2
"""one is the tables' owner, the other a member of thanopg_worker"""
DRIVERS = 2
REFUSALS = {"08000", "08001", "08006", "57014", "57P01", "57P02", "57P03", "53300"}
"""what a search may be answered with while service and server come and go"""
SEED = os.environ.get("THANOPG_CHAOS_SEED")


class Chaos:
    """One run: its processes, its threads, and the dice."""

    def __init__(self, server: EmbeddedServer, workplace: Path, seed: int) -> None:
        self.server = server
        self.place = workplace
        self.random = random.Random(seed)
        self.figures = Figures(seed)
        self.pictures = Pictures.make(workplace / "root")
        self.journal = workplace / "journal"
        self.faults = ServerFaults(server)

    def run(self, seconds: float) -> Figures:
        place = self.place
        with (
            ServiceProcess(self.server.home.path, place / "service.log") as service,
            Workers(
                [self.server.url, role_url(self.server)],
                self.pictures.root,
                self.journal,
                place / "worker.log",
                self._arm,
            ) as workers,
        ):
            with owner(self.server) as connection:
                _until(lambda: _answers(connection))
                create_tables(connection)
            self._play(service, workers, time.monotonic() + seconds)
            workers.disarm()
            self._judge()
            checks.check_model_calls(self.journal, self.figures, workers.started)
        checks.check_worker_log(place / "worker.log")
        checks.check_deadlocks(self.server.home.log)
        return self.figures

    def _play(self, service: ServiceProcess, workers: Workers, until: float) -> None:
        def go_on() -> bool:
            return time.monotonic() < until

        failures: list[BaseException] = []

        def guarded(work: Callable[[Callable[[], bool]], None]) -> None:
            try:
                work(go_on)
            except BaseException as error:
                failures.append(error)

        drivers = [
            Driver(self.server.url, self.figures.seed * 10 + n, self.pictures, self.figures) for n in range(DRIVERS)
        ]
        threads = [threading.Thread(target=guarded, args=(work,)) for work in [*(d.run for d in drivers), self._ask]]
        for thread in threads:
            thread.start()
        while go_on() and not failures:
            time.sleep(self.random.uniform(0.1, 1.0))
            self._strike(service, workers)
            for seen in workers.look():
                self.figures.count(self.figures.faults, seen)
        for thread in threads:
            thread.join()
        assert failures == [], failures

    def _arm(self) -> str:
        """Where and at which passage the next worker dies or freezes, or nothing."""
        way = self.random.choices(["KILL", "STOP", ""], [8, 2, 1])[0]
        return f"{self.random.choice(POINTS)}:{self.random.choice([1, 1, 1, 2, 4])}:{way}" if way else ""

    def _strike(self, service: ServiceProcess, workers: Workers) -> None:
        n = workers.choose(self.random.randrange(WORKERS))
        strikes: list[tuple[str, Callable[[], object], float]] = [
            ("connection cut", lambda: self.faults.cut(all_workers=False), 3),
            ("all connections cut", lambda: self.faults.cut(all_workers=True), 0.6),
            ("service killed", service.kill, 0.5),
            ("server restarted", self.faults.restart, 0.4),
            ("server crashed", self.faults.crash, 0.6),
            ("backend killed", self.faults.lose_backend, 0.6),
            ("image root away", self._lose_root, 1),
            ("files overwritten", self._overwrite, 4),
        ]
        if n is not None:
            strikes += [
                ("worker killed anywhere", lambda: workers.kill(n), 6),
                ("worker terminated", lambda: workers.terminate(n), 2),
                ("worker frozen anywhere", lambda: workers.freeze(n), 1),
            ]
        name, strike, _ = self.random.choices(strikes, [weight for _, _, weight in strikes])[0]
        strike()
        self.figures.count(self.figures.faults, name)

    def _lose_root(self) -> None:
        root, away = self.pictures.root, self.pictures.root.with_name("away")
        with self.pictures.lock:
            root.rename(away)
            empty = self.random.random() < 0.3  # as an unmounted disk leaves it
            if empty:
                root.mkdir()
            time.sleep(self.random.uniform(0.1, 0.7))
            if empty:
                root.rmdir()
            away.rename(root)

    def _overwrite(self) -> None:
        for _ in range(3):
            self.pictures.overwrite(self.random.randrange(FILES))

    def _ask(self, go_on: Callable[[], bool]) -> None:
        """Searches are answered, or refused with a reason that says what is away."""
        dice = random.Random(self.figures.seed)
        while go_on():
            try:
                with connect(self.server.url, application_name="asker", autocommit=True) as session:
                    while go_on():
                        target = dice.choice(TARGETS).name
                        session.execute("SELECT count(*) FROM search_image('a cat', 'fake', 5, %s)", (target,))
                        self.figures.answers += 1
                        time.sleep(0.05)
            except DatabaseUnavailable:
                time.sleep(0.2)
            except psycopg.OperationalError as error:
                assert error.sqlstate is None or error.sqlstate in REFUSALS, error
                self.figures.count(self.figures.refused, error.sqlstate or "connection lost")

    def _judge(self) -> None:
        _until(lambda: _accepts(self.server))  # it may still be recovering from its last crash
        with owner(self.server) as connection:
            _until(lambda: _answers(connection))
            connection.execute("SELECT thanopg.reconcile(id, deep => true) FROM thanopg.embedding")
            checks.settle(connection)
            for target in TARGETS:
                checks.check_table(connection, target, self.pictures, self.figures, refreshed=False)
            # what an operator does after workers died: an innocent row may have been in a dying one's hands three times
            self.figures.set_aside_innocent = connection.execute("SELECT retry(error_type => 'lost_lease')").fetchone()[
                0
            ]  # type: ignore[index]
            for target in TARGETS:
                connection.execute("SELECT refresh(%s)", (target.name,))
            checks.settle(connection)
            for target in TARGETS:
                checks.check_table(connection, target, self.pictures, self.figures, refreshed=True)
            checks.check_writings(connection, self.pictures, self.figures)
            checks.check_identical(connection)


def _accepts(server: EmbeddedServer) -> bool:
    try:
        owner(server).close()
    except DatabaseUnavailable:
        return False
    return True


def _answers(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT thanopg.service_call('SELECT 1')")
    except psycopg.OperationalError:
        return False
    return True


def _until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def play(
    server: EmbeddedServer, workplace: Path, seed: int, seconds: float, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\nchaos, seed {seed}, {seconds:g} s", flush=True)
    figures = Chaos(server, workplace, seed).run(seconds)
    assert figures.operations.total() > 0 and figures.rows > 0 and figures.written > 0
    with capsys.disabled():
        print("\n".join(figures.lines()), flush=True)


def test_seconds_of_chaos(crashing_server: EmbeddedServer, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    play(crashing_server, workplace, int(SEED or 1), float(os.environ.get("THANOPG_CHAOS_SECONDS", "20")), capsys)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", range(1000, 1030))
def test_a_minute_of_chaos(
    crashing_server: EmbeddedServer, workplace: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    play(crashing_server, workplace, seed, 60, capsys)
