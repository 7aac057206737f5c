"""`python -m benchmarks.attackers KIND CLIENTS DIRECTORY PORT PASSWORD`: makes the embedding service's life hard.

KIND may be several, with commas. Says `ready` when the attack begins, and goes on until its standard input is closed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable

import psycopg

USER = "thanopg_service"
SOURCE = "fake:64"
CLIENTS = 8
SLOW_CLIENTS = 300
HUGE = 8 * 1024 * 1024
SYNC = b"S\0\0\0\4"


class Attack:
    """What every attacker needs to know."""

    def __init__(self, directory: str, port: int, password: str) -> None:
        self.path = f"{directory}/.s.PGSQL.{port}"
        self.dsn = f"host={directory} port={port} user={USER} password={password} dbname=any connect_timeout=10"
        self.over = threading.Event()

    def connected(self) -> socket.socket:
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plain.connect(self.path)
        return plain


def flood(attack: Attack, data: Callable[[int], bytes]) -> None:
    """Sends for ever, and reads what comes so that the service need not stop."""
    connection = _login_without_goodbye(attack)
    reader = threading.Thread(target=_drain, args=(connection,), daemon=True)
    reader.start()
    for turn in itertools.count():
        if attack.over.is_set():
            return
        connection.sendall(data(turn))


def syncs(attack: Attack) -> None:
    flood(attack, lambda turn: SYNC * 10_000)


def queries(attack: Attack) -> None:
    one = message(b"Q", f"SELECT embed_text('cat', '{SOURCE}')\0".encode())
    flood(attack, lambda turn: one * 1000)


def statements(attack: Attack) -> None:
    one = message(b"Q", b"SELECT 1;" * 400 + b"\0")
    flood(attack, lambda turn: one)


def signs(attack: Attack) -> None:
    """Megabytes of one short token after another, in one query."""
    one = message(b"Q", b"SELECT 1;" * 1_000_000 + b"\0")
    flood(attack, lambda turn: one)


def texts(attack: Attack) -> None:
    who = threading.get_ident()
    flood(attack, lambda turn: message(b"Q", f"SELECT embed_text('{who} {turn}', '{SOURCE}')\0".encode()))


def long_texts(attack: Attack) -> None:
    who = threading.get_ident()
    flood(
        attack,
        lambda turn: message(b"Q", f"SELECT embed_text('{who} {turn} {'word ' * 200_000}', '{SOURCE}')\0".encode()),
    )


def huge(attack: Attack) -> None:
    """An image of digits, again and again: collected, read, refused."""
    one = message(b"Q", b"SELECT embed_image('\\x" + b"00" * (HUGE // 2) + f"', '{SOURCE}')\0".encode())
    flood(attack, lambda turn: one)


def oversized(attack: Attack) -> None:
    """More than the limit: skipped as it comes in."""
    flood(attack, lambda turn: b"Q" + struct.pack("!I", 900 * 1024 * 1024) if turn == 0 else bytes(1024 * 1024))


def garbage(attack: Attack) -> None:
    for turn in itertools.count():
        if attack.over.is_set():
            return
        with attack.connected() as connection, contextlib.suppress(OSError):
            connection.sendall(
                (b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", bytes(64), b"\0\0\0\x08\4\xd2\x16\x2f")[turn % 4]
            )
            if turn % 4 < 3:
                connection.recv(4096)


def wrong_passwords(attack: Attack) -> None:
    dsn = attack.dsn.replace("password=", "password=x")
    while not attack.over.is_set():
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(dsn).close()


def slow_loris(attack: Attack) -> None:
    """Connections that announce a long startup packet and send it a byte at a time, opened anew when let go."""
    connections: list[socket.socket] = []
    announced = struct.pack("!I", 10_000)
    while not attack.over.wait(0.05):
        while len(connections) < SLOW_CLIENTS // CLIENTS:
            connections.append(attack.connected())
            connections[-1].sendall(announced)
        for connection in list(connections):
            try:
                connection.send(b"\0")
            except OSError:
                connection.close()
                connections.remove(connection)


KINDS: dict[str, Callable[[Attack], None]] = {
    "syncs": syncs,
    "queries": queries,
    "statements": statements,
    "signs": signs,
    "texts": texts,
    "long texts": long_texts,
    "huge messages": huge,
    "oversized messages": oversized,
    "garbage": garbage,
    "wrong passwords": wrong_passwords,
    "slow-loris": slow_loris,
}


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _login_without_goodbye(attack: Attack) -> socket.socket:
    connection = psycopg.connect(attack.dsn, autocommit=True)
    plain = socket.socket(fileno=os.dup(connection.fileno()))
    _KEPT.append(connection)  # closing it would say Terminate
    plain.setblocking(True)
    return plain


_KEPT: list[psycopg.Connection] = []


def _drain(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while connection.recv(1 << 20):
            pass


def _attack_until_over(attack: Attack, kind: str) -> None:
    while not attack.over.is_set():
        with contextlib.suppress(OSError, psycopg.Error):
            KINDS[kind](attack)


def main(kind: str, clients: str, directory: str, port: str, password: str) -> None:
    attack = Attack(directory, int(port), password)
    for one in kind.split(","):
        for _ in range(int(clients)):
            threading.Thread(target=_attack_until_over, args=(attack, one), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    attack.over.set()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
