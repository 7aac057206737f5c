"""Every attack at once on a service of its own: others are answered rightly, memory is bounded, and then it is over."""

from __future__ import annotations

import json
import socket
import urllib.request

import psycopg

from benchmarks.attack import PORT, USER, attackers, service
from benchmarks.attackers import KINDS
from tests.acceptance.service_fixtures.asking import ask, read_vector, vector_of, wait_until

CALLS = 20
MOST_GROWTH = 700 * 1024**2
"""the budget of large messages, the cache, and copies of what is being read"""


def test_others_are_answered_while_everybody_attacks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        http = int(free.getsockname()[1])

    def health() -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/healthz", timeout=30) as page:
            found: dict[str, object] = json.load(page)
            return found

    with service("--http-port", str(http)) as (directory, password, process):
        dsn = f"host={directory} port={PORT} user={USER} password={password} dbname=any connect_timeout=30"
        with psycopg.connect(dsn, autocommit=True) as connection:
            ask(connection, "warm")
            before = process.memory_info().rss
            with attackers(",".join(KINDS), directory, password, clients=1):
                for number in range(CALLS):
                    text = f"ordinary {number // 2}"  # every second one from the cache, if it is still there
                    assert read_vector(ask(connection, text)) == vector_of(text)
                with psycopg.connect(dsn, autocommit=True) as newcomer:
                    assert read_vector(ask(newcomer, "new")) == vector_of("new")
                assert health()["status"] == "ok"
                grown = process.memory_info().rss - before
            assert grown < MOST_GROWTH, f"{grown / 1024**2:.0f} MiB"
            wait_until(lambda: health()["connections"] == 1)
            assert read_vector(ask(connection, "after")) == vector_of("after")
