"""A connection until it is logged in: encryption, parameters, password. Pure: bytes in, bytes and events out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from thanopg.errors import InvalidArgument, InvalidPassword, NotSupported, ProtocolViolation, ThanopgError
from thanopg.service import backend, frontend
from thanopg.service.authentication import Credentials, Exchange
from thanopg.service.reader import PacketReader
from thanopg.service.statement import SERVER_VERSION, is_utf8

MAX_PASSWORD_MESSAGE: Final = 4096
MAX_ENCRYPTION_REQUESTS: Final = 3
PARAMETERS: Final = {
    "server_version": SERVER_VERSION,
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "is_superuser": "off",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "off",
    "in_hot_standby": "off",
}


@dataclass(frozen=True, slots=True)
class BackendKey:
    """What a client shows to cancel its running call."""

    process_id: int
    secret: bytes


class StartTls:
    """The bytes so far are to be sent, then TLS begins; afterwards call `tls_started`."""


class LoggedIn:
    """What comes next is a `Session`'s."""


@dataclass(frozen=True, slots=True)
class CancelCall:
    key: BackendKey


@dataclass(frozen=True, slots=True)
class Refused:
    """The bytes so far are to be sent, for a wrong password after a while, then the connection ends."""

    password: bool


Event = StartTls | LoggedIn | CancelCall | Refused
_State = Literal["packet", "sasl first", "sasl final", "over"]


class Startup:
    """Ask `next` after each feeding of the reader; send what `take` gives before acting on the event."""

    def __init__(self, reader: PacketReader, credentials: Credentials, key: BackendKey, *, tls: bool) -> None:
        """`tls`: is it offered to those who ask?"""
        self._reader = reader
        self._credentials = credentials
        self._key = key
        self._offers_tls = tls
        self._encrypted = False
        self._requests = 0
        self._state: _State = "packet"
        self._output = bytearray()
        self._user = ""
        self._application = ""
        self._exchange: Exchange | None = None

    def take(self) -> bytes:
        output = bytes(self._output)
        self._output.clear()
        return output

    def tls_started(self) -> None:
        self._encrypted = True

    def next(self) -> Event | None:
        """The next thing to do; None: wait for more bytes."""
        try:
            while self._state != "over":
                event = self._packet() if self._state == "packet" else self._password()
                if event is not None:
                    return event
                if not self._progress:
                    return None
        except ThanopgError as error:
            self._state = "over"
            self._output += backend.error_response(error, "FATAL")
            return Refused(password=isinstance(error, InvalidPassword))
        return None

    _progress = False

    def _packet(self) -> Event | None:
        data = self._reader.startup_packet()
        self._progress = data is not None
        if data is None:
            return None
        packet = frontend.decode_startup(data)
        if isinstance(packet, frontend.EncryptionRequest):
            return self._encryption(packet)
        if isinstance(packet, frontend.CancelRequest):
            self._state = "over"
            return CancelCall(BackendKey(packet.process_id, packet.secret))
        self._begin(packet)
        return None

    def _encryption(self, request: frontend.EncryptionRequest) -> Event | None:
        self._requests += 1
        if self._requests > MAX_ENCRYPTION_REQUESTS:
            raise ProtocolViolation("too many encryption requests")
        if not (request.tls and self._offers_tls and not self._encrypted):
            self._output += backend.ENCRYPTION_NO
            return None
        if self._reader.waiting:  # someone between us could have put it there before the encryption began
            raise ProtocolViolation("received unencrypted data after the TLS request")
        self._output += backend.TLS_YES
        return StartTls()

    def _begin(self, packet: frontend.Startup) -> None:
        parameters = packet.parameters
        unrecognised = [name for name in parameters if name.startswith("_pq_.")]
        if packet.minor > 0 or unrecognised:
            self._output += backend.negotiate_protocol_version(unrecognised)
        if not parameters.get("user"):
            raise InvalidArgument("no user name in the startup packet")
        if parameters.get("replication", "off") not in ("off", "false", "no", "0"):
            raise NotSupported("the embedding service has nothing to replicate")
        encoding = parameters.get("client_encoding", "UTF8")
        if not is_utf8(encoding):
            raise NotSupported(f"client_encoding must be UTF8, not {encoding}", hint="set PGCLIENTENCODING=UTF8")
        self._user = parameters["user"]
        self._application = parameters.get("application_name", "")
        self._exchange = self._credentials.exchange(self._user, tls=self._encrypted)
        self._output += backend.authentication_sasl(self._exchange.mechanisms)
        self._state = "sasl first"

    def _password(self) -> Event | None:
        packet = self._reader.message(limit=MAX_PASSWORD_MESSAGE)
        self._progress = packet is not None
        if packet is None:
            return None
        if packet.kind == b"X"[0]:  # psql went away to ask for the password
            self._state = "over"
            return Refused(password=False)
        if packet.kind != b"p"[0]:
            raise ProtocolViolation(f"expected a SASL response, not message type {chr(packet.kind)!r}")
        assert self._exchange is not None
        if self._state == "sasl first":
            mechanism, client_first = frontend.decode_sasl_initial(bytes(packet.body))
            self._output += backend.authentication_continue(self._exchange.first(mechanism, client_first))
            self._state = "sasl final"
            return None
        self._output += backend.authentication_final(self._exchange.final(bytes(packet.body)))
        self._state = "over"
        return LoggedIn()

    def welcome(self) -> bytes:
        """What follows a successful login, when the connection is let in."""
        self._exchange = None
        told = {**PARAMETERS, "session_authorization": self._user, "application_name": self._application}
        return b"".join(
            (
                backend.AUTHENTICATION_OK,
                *(backend.parameter_status(name, value) for name, value in told.items()),
                backend.backend_key_data(self._key.process_id, self._key.secret),
                backend.ready_for_query("I"),
            )
        )
