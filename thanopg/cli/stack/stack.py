"""The stack of one home: the embedded server, everything installed in it, one service, one worker.

The worker logs in as a role that owns nothing; what needs the tables' owner is done here (`tending`).
What is started here is stopped here, in every case; the caller holds the home's lock.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType

import psycopg
from psycopg.conninfo import make_conninfo

from thanopg.cli.stack.child import Child
from thanopg.cli.stack.state import Identity, State, StateFile
from thanopg.cli.stack.tending import Tending
from thanopg.config import Settings
from thanopg.database.connect import connect
from thanopg.database.install import InstallReport, install_embedded
from thanopg.database.server import EmbeddedServer
from thanopg.errors import DatabaseUnavailable, ProcessStartError, ServerStartError

READY_SECONDS = 90.0
POLL_SECONDS = 0.05
WATCH_SECONDS = 0.25
SERVER_PAUSE = 2.0
MOST_PRELOADED = 4
DEFAULT_SOURCE = "catalog"
USED = "SELECT model_source FROM thanopg.embedding_column GROUP BY model_source ORDER BY count(*) DESC LIMIT %s"
SAID = re.compile(r"^(error|hint): (.+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    http_port: int | None = None
    workers: int = 1
    preload: tuple[str, ...] = ()
    """sources that the service loads at once, beside those that embedding columns use"""
    verbose: int = 0
    """what children are told of -v; in front they then talk on our stderr instead of in their logs"""
    detached: bool = False


class Stack:
    """`with Stack(settings, say=…) as stack: stack.watch(stop)`; `say` hears what people should know meanwhile.

    `tell` hears what is being started.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        say: Callable[[str], None],
        tell: Callable[[str], None] | None = None,
        options: StackOptions | None = None,
    ) -> None:
        self.settings = settings
        self.options = options or StackOptions()
        self.server = EmbeddedServer(settings.home)
        self.report: InstallReport | None = None
        self._say = say
        self._tell = tell
        self._state = StateFile(settings.home)
        self._me = Identity.of(os.getpid())
        self._children: list[Child] = []
        self._ours = False
        self._preload: tuple[str, ...] = ()
        self._server_retry = 0.0
        self._tending = Tending()

    def __enter__(self) -> Stack:
        try:
            self.start_server()
            self.start_children()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # --- start -----------------------------------------------------------------------------------------------------

    def start_server(self) -> InstallReport:
        """The server, with everything installed. Raises ServerStartError, InstallError."""
        self._end_leftovers()
        self._doing(f"starting PostgreSQL in {self.settings.home}")
        self._ours = self._ours or not self.server.running
        self.server.start()
        self._doing("installing thanopg in it")
        self.report = install_embedded(self.server)
        return self.report

    def start_children(self) -> None:
        """Service and workers, ready when this returns. Raises ProcessStartError."""
        self._children = self._planned()
        for child in self._children:
            child.start()
        self._doing("starting the embedding service, and its model with it")
        self._wait(self._children[:1], self._service_answers)
        self._doing("starting the worker" if self.options.workers == 1 else f"starting {self.options.workers} workers")
        self._wait(self._children[1:], self._workers_are_there)
        self._write(ready=True)

    def _planned(self) -> list[Child]:
        home = ["--home", str(self.settings.home), *["-v"] * self.options.verbose]
        device = ["--device", self.settings.device] if self.settings.device else []
        serve = ["serve", *home, *device]
        if self.options.http_port is not None:
            serve += ["--http-port", str(self.options.http_port)]
        worker = ["worker", *home, *device, "--image-root", str(self.settings.image_root)]
        numbers = range(1, self.options.workers + 1)
        names = ["worker"] if self.options.workers == 1 else [f"worker-{number}" for number in numbers]
        return [
            Child("service", serve, self._log("service"), more=self._preloads),
            *(Child(name, worker, self._log(name)) for name in names),
        ]

    def _preloads(self) -> list[str]:
        """What the service loads as it starts: the models that embedding columns use now, or the one in the box."""
        try:
            with connect(self.server.url, application_name="thanopg up") as connection:
                used = [str(row[0]) for row in connection.execute(USED, [MOST_PRELOADED]).fetchall()]
            self._preload = tuple(dict.fromkeys((*self.options.preload, *used))) or (DEFAULT_SOURCE,)
        except (DatabaseUnavailable, psycopg.Error):
            pass  # the server is being started again too: what was known before will do
        return [word for source in self._preload for word in ("--preload", source)]

    def _log(self, name: str) -> Path | None:
        return (
            None if self.options.verbose and not self.options.detached else self.settings.home / "log" / f"{name}.log"
        )

    def _wait(self, children: Sequence[Child], ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            for child in children:
                if not child.running:
                    raise _could_not_start(child)
            if children and time.monotonic() > deadline:
                raise ProcessStartError(
                    f"the {children[0].name} was not ready within {READY_SECONDS:.0f} s",
                    hint=f"the reason may be in {self.settings.home / 'log'}",
                )
            time.sleep(POLL_SECONDS)

    def _service_answers(self) -> bool:
        address = self.server.service_address
        conninfo = make_conninfo(
            host=address.host, port=address.port, user=address.user, password=address.password, dbname="thanopg"
        )
        try:
            with connect(conninfo, application_name="thanopg up", autocommit=True) as connection:
                connection.execute("SELECT 1")
        except DatabaseUnavailable:
            return False
        return True

    def _workers_are_there(self) -> bool:
        with connect(self.server.url, application_name="thanopg up") as connection:
            row = connection.execute("SELECT thanopg.worker_count()").fetchone()
        return row is not None and int(row[0]) >= self.options.workers

    # --- meanwhile -------------------------------------------------------------------------------------------------

    def watch(self, stop: Event) -> None:
        """Until `stop`: whatever ends by itself is started again."""
        while not stop.wait(WATCH_SECONDS):
            self.look_after()

    def look_after(self) -> None:
        self._look_after_server()
        said = [text for child in self._children if (text := child.look_after())]
        for text in said:
            self._say(text)
        if said:
            self._write(ready=True)
        self._tending.look_after(self.server)

    def _look_after_server(self) -> None:
        if self.server.running or time.monotonic() < self._server_retry:
            return
        self._say("the PostgreSQL server has ended; starting it again")
        try:
            self.server.start()
        except ServerStartError as error:
            self._server_retry = time.monotonic() + SERVER_PAUSE
            self._say(f"{error.message}; trying again in {SERVER_PAUSE:.0f} s")

    # --- stop ------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Everything that was started here, within a bound."""
        try:
            for child in self._children:
                child.ask_to_stop()
            for child in self._children:
                child.stop()
        finally:
            self._children = []
            if self._ours:
                self.server.stop()
            self._state.remove()

    def _end_leftovers(self) -> None:
        """Children of a supervisor that was killed end by themselves; wait for them."""
        state = self._state.read()
        for child in state.children.values() if state else ():
            child.end()

    def _doing(self, doing: str) -> None:
        self._write(ready=False, doing=doing)
        if self._tell is not None:
            self._tell(doing)

    def _write(self, *, ready: bool, doing: str = "") -> None:
        if not self.settings.home.is_dir():
            return
        children = {child.name: identity for child in self._children if (identity := child.identity)}
        root = str(self.settings.image_root)
        self._state.write(State(supervisor=self._me, children=children, image_root=root, ready=ready, doing=doing))


def _could_not_start(child: Child) -> ProcessStartError:
    said = dict(SAID.findall(child.last_words()))
    reason = said.get("error") or "it ended at once"
    hint = said.get("hint") or (f"read {child.log}" if child.log else "")
    return ProcessStartError(f"could not start the {child.name}: {reason}", hint=hint)
