"""`up --detach`: the same `up` in a session of its own, writing to a log; returns when it is ready."""

from __future__ import annotations

import subprocess
import sys
import time

from thanopg.cli.stack.child import command_line, environment, rotate
from thanopg.cli.stack.foreground import say_where
from thanopg.cli.stack.home import make_home
from thanopg.cli.stack.stack import SAID, StackOptions
from thanopg.cli.stack.state import Identity, StateFile
from thanopg.config import Settings, command_for
from thanopg.errors import AlreadyRunning, ProcessStartError

READY_SECONDS = 300.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.1


def start_detached(settings: Settings, options: StackOptions) -> None:
    """Raises what it says in its log, as ProcessStartError."""
    make_home(settings.home)
    log = settings.home / "log" / "up.log"
    rotate(log)
    arguments = ["up", "--home", str(settings.home), "--image-root", str(settings.image_root)]
    arguments += ["--workers", str(options.workers)]
    arguments += ["-v"] * options.verbose
    arguments += ["--device", settings.device] if settings.device else []
    arguments += ["--http-port", str(options.http_port)] if options.http_port is not None else []
    with log.open("ab") as out:
        begin = out.tell()
        process = subprocess.Popen(
            command_line(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
            env=environment(),
            start_new_session=True,
        )
    try:
        _wait(process, settings)
    except BaseException:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    if process.poll() is not None:
        with log.open("rb") as file:
            file.seek(begin)
            said = file.read().decode(errors="replace")
        found = dict(SAID.findall(said))
        if process.returncode == 0:  # another one was faster
            raise AlreadyRunning(hint=f"stop it with: {command_for(settings.home, 'down')}")
        raise ProcessStartError(found.get("error") or "it ended at once", hint=found.get("hint") or f"read {log}")
    say_where(settings)


def _wait(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Until it is ready or has ended. Raises ProcessStartError when it takes too long."""
    me = Identity.of(process.pid)
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while process.poll() is None:
        state = StateFile(settings.home).read()
        if state is not None and state.supervisor == me:
            if state.ready:
                return
            if state.doing and state.doing != said:
                said = state.doing
                print(said, file=sys.stderr, flush=True)
        if time.monotonic() > deadline:
            raise ProcessStartError(
                f"it was not ready within {READY_SECONDS:.0f} s", hint=f"the reason may be in {settings.home / 'log'}"
            )
        time.sleep(POLL_SECONDS)
