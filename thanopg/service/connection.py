"""One client's socket: moves bytes between the transport and the protocol, and calls between the protocol and models.

It never reads further ahead than a bound, never writes more than the client takes, and gives up on clients that are
slow to log in, to finish a message or to take their answers.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import traceback
from typing import Final, Protocol

from thanopg.errors import CallCancelled, ServiceStopping, ThanopgError, TooBusy
from thanopg.service import backend
from thanopg.service.authentication import Credentials
from thanopg.service.calls import Calls
from thanopg.service.reader import Budget, PacketReader
from thanopg.service.request import Answer, Request
from thanopg.service.session import Goodbye, Session
from thanopg.service.settings import ServiceSettings
from thanopg.service.startup import BackendKey, CancelCall, LoggedIn, Refused, StartTls, Startup
from thanopg.service.turns import Turns

READ_AHEAD: Final = 256 * 1024
"""bytes kept of what a client sends while its call is running"""
WRITE_BUFFER: Final = 1024 * 1024
CALLS_PER_TURN: Final = 2
"""answers from the cache that one client gets before others have their turn"""
PROMPT: Final = 64 * 1024
"""bytes up to which a client is served in the round of the event loop that brings them"""
SYNC_AND_SUCH: Final = 64
"""bytes that may be there already when a call ends; a client with more has sent further calls without waiting"""
CLOSE_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class Host(Protocol):
    """What a connection needs of the server."""

    settings: ServiceSettings
    credentials: Credentials
    calls: Calls
    budget: Budget
    turns: Turns
    scratch: memoryview
    """what arrives goes through it: nobody keeps it longer than one callback"""
    tls: ssl.SSLContext | None

    def arrived(self, connection: Connection) -> BackendKey: ...
    def logged_in(self, connection: Connection) -> bool:
        """False: there are too many."""

    def gone(self, connection: Connection) -> None: ...
    def cancel(self, key: BackendKey) -> None: ...
    def failed_login(self) -> None: ...


class Connection(asyncio.BufferedProtocol):
    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._reader = PacketReader(host.budget, host.settings.max_message)
        self._startup: Startup | None = None
        self._session: Session | None = None
        self._call: asyncio.Task[Answer] | None = None
        self._interrupt: ThanopgError | None = None
        self._upgrade: asyncio.Task[None] | None = None
        self._waits_for_turn = False
        self._timer: asyncio.TimerHandle | None = None
        self._timed_packets = 0
        self._writing_timer: asyncio.TimerHandle | None = None
        self._write_paused = False
        self._read_paused = False
        self._stopping = False
        self._closing = False

    # --- called by the event loop ----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self.key = self._host.arrived(self)
        self._startup = Startup(self._reader, self._host.credentials, self.key, tls=self._host.tls is not None)
        self._timer = self._loop.call_later(self._host.settings.login_seconds, self.abort)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._host.scratch

    def buffer_updated(self, nbytes: int) -> None:
        if self._closing:
            return
        self._reader.feed(self._host.scratch[:nbytes])
        if self._session is not None and self._reader.waiting > PROMPT:
            self._wait_for_turn()
        if self._waits_for_turn:
            self._bound_reading()
            return
        self._step()
        if not self._waits_for_turn:
            self._host.turns.served_at_once()

    def eof_received(self) -> bool:
        return False  # nobody who still waits for an answer hangs up

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        for timer in (self._timer, self._writing_timer):
            if timer is not None:
                timer.cancel()
        for task in (self._call, self._upgrade):
            if task is not None:
                task.cancel()
        self._reader.close()
        self._host.gone(self)

    def pause_writing(self) -> None:
        self._write_paused = True
        self._writing_timer = self._loop.call_later(self._host.settings.write_seconds, self.abort)

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._writing_timer is not None:
            self._writing_timer.cancel()
        self._step()

    # --- called by the server --------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Cut the connection, whatever is under way."""
        self._closing = True
        self._transport.abort()

    def interrupt(self, error: ThanopgError) -> None:
        """End the running call with this error; without one nothing happens."""
        if self._call is not None:
            self._interrupt = error
            self._call.cancel()

    def stop(self) -> None:
        """Take leave, now or when the running call has ended."""
        self._stopping = True
        self._step()

    # --- steps -------------------------------------------------------------------------------------------------------

    def _step(self) -> None:
        if self._closing or self._write_paused:
            self._bound_reading()
            return
        try:
            if self._session is None:
                self._log_in()
            if self._session is not None:
                self._serve(self._session)
        except Exception as error:
            _log_unexpected(error)
            self._transport.write(backend.error_response(ThanopgError(), "FATAL"))
            self._close()
        self._bound_reading()

    def _log_in(self) -> None:
        assert self._startup is not None
        if self._upgrade is not None:
            return
        event = self._startup.next()
        output = self._startup.take()
        if isinstance(event, Refused) and event.password:
            self._refuse(output)
            return
        if isinstance(event, StartTls):
            self._transport.pause_reading()
        if output:
            self._transport.write(output)
        match event:
            case StartTls():
                self._upgrade = self._loop.create_task(self._start_tls())
            case LoggedIn():
                self._welcome(self._startup)
            case CancelCall(key):
                self._host.cancel(key)
                self._close()
            case Refused():
                self._close()
            case None if self._stopping:
                self._close()

    def _welcome(self, startup: Startup) -> None:
        if self._stopping or not self._host.logged_in(self):
            error = ServiceStopping() if self._stopping else TooBusy("too many connections")
            self._transport.write(backend.error_response(error, "FATAL"))
            self._close()
            return
        self._transport.write(startup.welcome())
        self._startup = None
        self._session = Session(self._reader)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, output: bytes) -> None:
        """A wrong password is answered after a while, so that guessing is slow."""
        self._host.failed_login()
        self._closing = True
        self._transport.pause_reading()
        self._loop.call_later(self._host.settings.failed_login_seconds, self._say_and_close, output)

    def _say_and_close(self, output: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(output)
            self._transport.close()

    async def _start_tls(self) -> None:
        assert self._host.tls is not None and self._startup is not None
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self,
                self._host.tls,
                server_side=True,
                ssl_handshake_timeout=self._host.settings.login_seconds,
            )
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            self.abort()
            return
        if transport is None:  # the client left meanwhile
            return
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._transport = transport
        self._startup.tls_started()
        self._upgrade = None
        self._step()

    def _serve(self, session: Session) -> None:
        again = False
        for _ in range(CALLS_PER_TURN):
            request = session.next()
            if isinstance(request, Goodbye):
                self._send(session)
                self._close()
                return
            if request is None:
                again = session.more
                break
            self._answer(session, request)
        else:
            again = True
        if again:
            self._wait_for_turn()
        elif self._stopping and not session.busy:
            session.end(ServiceStopping())
            self._send(session)
            self._close()
            return
        self._send(session)
        self._watch_message(session)

    def _send(self, session: Session) -> None:
        output = session.take()
        if output:
            self._transport.write(output)

    def _wait_for_turn(self) -> None:
        if not self._waits_for_turn:
            self._waits_for_turn = True
            self._host.turns.wait(self._take_turn)

    def _take_turn(self) -> None:
        self._waits_for_turn = False
        self._step()

    def _answer(self, session: Session, request: Request) -> None:
        answer = self._host.calls.at_once(request)
        if answer is not None:
            session.answer(answer)
            return
        self._interrupt = None
        self._call = self._loop.create_task(self._host.calls.answer(request))
        self._call.add_done_callback(self._answered)

    def _answered(self, call: asyncio.Task[Answer]) -> None:
        self._call = None
        error = None if call.cancelled() else call.exception()
        if self._closing or self._session is None:
            return
        if call.cancelled():
            self._session.fail(self._interrupt or CallCancelled())
        elif isinstance(error, ThanopgError):
            self._session.fail(error)
        elif error is not None:
            _log_unexpected(error)
            self._session.fail(ThanopgError())
        else:
            self._session.answer(call.result())
        if self._reader.waiting > SYNC_AND_SUCH and not self._write_paused:
            self._send(self._session)
            self._wait_for_turn()
        else:
            self._step()

    # --- bounds ------------------------------------------------------------------------------------------------------

    def _bound_reading(self) -> None:
        busy = self._session is not None and self._session.busy
        held_up = busy or self._write_paused or self._waits_for_turn
        pause = held_up and self._reader.waiting > READ_AHEAD
        if pause == self._read_paused or self._closing or self._upgrade is not None:
            return
        self._read_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _watch_message(self, session: Session) -> None:
        """A message that has begun must end in time; an idle connection may stay for ever."""
        if session.busy or not self._reader.partial:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        elif self._timer is None:
            self._timed_packets = self._reader.packets
            self._timer = self._loop.call_later(self._host.settings.message_seconds, self._message_late, session)

    def _message_late(self, session: Session) -> None:
        self._timer = None
        if self._reader.packets == self._timed_packets:
            self.abort()
        else:
            self._watch_message(session)

    def _close(self) -> None:
        if not self._closing:
            self._closing = True
            self._transport.close()
            self._writing_timer = self._loop.call_later(CLOSE_SECONDS, self._transport.abort)


def _log_unexpected(error: BaseException) -> None:
    """Where it happened, not what it says: its text may hold a query's."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("unexpected %s\n%s", type(error).__name__, frames.rstrip())
