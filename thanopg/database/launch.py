"""Starts the server's process and waits until it accepts connections; watches over it when it must end with us."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from thanopg.database.account import Account
from thanopg.database.binaries import Binaries
from thanopg.database.failure import failure_of
from thanopg.database.home import Home
from thanopg.database.postmaster import find_postmaster, recorded_pid
from thanopg.errors import ServerStartError

START_SECONDS = 120.0
LEFTOVER_SECONDS = 20.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
LARGEST_LOG = 10 * 1024 * 1024
LEFTOVERS = "pre-existing shared memory block"


def launch(home: Home, binaries: Binaries, account: Account, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The running server's process, ready. Raises ServerStartError."""
    arguments = [os.fspath(binaries.program("postgres")), "-D", os.fspath(home.data)]
    for name, value in settings.items():
        arguments += ["-c", f"{name}={value}"]
    _rotate(home.log)
    patience = time.monotonic() + LEFTOVER_SECONDS
    while True:
        begin = home.log.stat().st_size if home.log.exists() else 0
        process = _start(arguments, home, account)
        if _wait_until_ready(process, home):
            return process
        output = _read_from(home.log, begin)
        if LEFTOVERS not in output or time.monotonic() > patience:
            raise failure_of(output, home.path)
        time.sleep(10 * POLL_SECONDS)  # the children of a killed server notice its end within moments


def keep(binaries: Binaries, data: Path, account: Account) -> subprocess.Popen[bytes]:
    """A shell that waits for the end of its input, which comes however we end, and then stops the server."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; exec "$0" stop -s -m fast -D "$1"', binaries.program("pg_ctl"), data],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **account.process_options(),
    )


def dismiss(keeper: subprocess.Popen[bytes]) -> None:
    keeper.kill()
    keeper.wait(STOP_SECONDS)
    assert keeper.stdin is not None
    keeper.stdin.close()


def _start(arguments: list[str], home: Home, account: Account) -> subprocess.Popen[bytes]:
    options = account.process_options()
    leftover = recorded_pid(home.data)
    if leftover is not None:
        # The process of a stale postmaster.pid is no server of this home (the caller looked), but its number may have
        # been given to another process. The server ignores the number of its "grandparent"; its check for shared
        # memory that is still in use stays.
        options["env"]["PG_GRANDPARENT_PID"] = str(leftover)
    with home.log.open("ab") as log:
        return subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
            **options,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], home: Home) -> bool:
    """False when it has ended. Raises ServerStartError when it takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        postmaster = find_postmaster(home.data)
        if postmaster is not None and postmaster.pid == process.pid and postmaster.ready:
            return True
        time.sleep(POLL_SECONDS)
    process.send_signal(signal.SIGQUIT)
    process.wait(STOP_SECONDS)
    raise ServerStartError(
        f"the embedded server was not ready within {START_SECONDS:.0f} s", hint=f"the reason may be in {home.log}"
    )


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read(LARGEST_LOG).decode(errors="replace")


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
