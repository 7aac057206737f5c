"""`up` in front: says what it starts, then waits for Ctrl-C, SIGTERM or the end of its terminal."""

from __future__ import annotations

import sys
from threading import Event
from urllib.parse import urlsplit

from thanopg.cli.stack.home import make_home
from thanopg.cli.stack.interrupt import interruptible
from thanopg.cli.stack.stack import Stack, StackOptions
from thanopg.cli.stack.state import StateFile, hold
from thanopg.cli.target import command
from thanopg.config import Settings
from thanopg.database.server import EmbeddedServer
from thanopg.errors import AlreadyRunning


def run_in_front(settings: Settings, options: StackOptions) -> None:
    """Returns when it was told to stop and everything has ended. Raises ServerStartError, InstallError, …"""
    make_home(settings.home)
    try:
        with interruptible(), hold(settings.home), Stack(settings, say=say, tell=say, options=options) as stack:
            try:
                look_after(stack, settings)
            except KeyboardInterrupt:
                say("stopping")
    except AlreadyRunning:  # another one was faster
        say_where(settings, already=True)


def look_after(stack: Stack, settings: Settings) -> None:
    assert stack.report is not None
    for warning in stack.report.warnings:
        say(f"warning: {warning}")
    say_where(settings)
    say("Ctrl-C stops everything" if sys.stdin and sys.stdin.isatty() else "ready")
    stack.watch(Event())


def say_where(settings: Settings, *, already: bool = False) -> None:
    """The URL on stdout, but for its password; on stderr what can be done now."""
    state = StateFile(settings.home).read()
    root = state.image_root if state else str(settings.image_root)
    if already:
        who = f" (process {state.supervisor.pid})" if state else ""
        say(f"thanopg is already running on {settings.home}{who}")
    print(without_password(EmbeddedServer(settings.home).url), flush=True)
    say(f"image paths are below {root}")
    for verb in ("psql", "status", "down"):
        say(f"  {command(settings, verb)}")
    say(f"  {command(settings, 'url')}    the URL with its password, for programs")


def without_password(url: str) -> str:
    """Terminals are looked at, and logs are kept."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.netloc.rpartition('@')[2]}").geturl()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
