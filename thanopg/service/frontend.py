"""What a client sends: bytes to messages. Pure.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, NamedTuple

from thanopg.errors import InvalidEncoding, ProtocolViolation

Text = bytes | bytearray
"""of SQL, as it came"""

LARGE: Final = 64 * 1024
"""bytes beyond which a text or a value is not copied"""
PROTOCOL_3: Final = 3
SSL_REQUEST: Final = 80877103
GSSENC_REQUEST: Final = 80877104
CANCEL_REQUEST: Final = 80877102
MOST_TYPES: Final = 4 * 2**15 + 8
"""bytes that can follow the text of a Parse message"""


class Startup(NamedTuple):
    minor: int
    parameters: dict[str, str]


class EncryptionRequest(NamedTuple):
    tls: bool
    """TLS, or else GSSAPI"""


class CancelRequest(NamedTuple):
    process_id: int
    secret: bytes


class Query(NamedTuple):
    text: Text


class Parse(NamedTuple):
    name: str
    query: Text
    types: tuple[int, ...]


class Bind(NamedTuple):
    portal: str
    statement: str
    formats: tuple[int, ...]
    values: tuple[bytes | memoryview | None, ...]
    """large ones where they lie in the message"""
    result_formats: tuple[int, ...]


class Describe(NamedTuple):
    portal: bool
    name: str


class Close(NamedTuple):
    portal: bool
    name: str


class Execute(NamedTuple):
    portal: str


class Sync(NamedTuple):
    pass


class Flush(NamedTuple):
    pass


class Terminate(NamedTuple):
    pass


class CopyData(NamedTuple):
    """CopyData, CopyDone, CopyFail: ignored, as PostgreSQL does outside a COPY."""


class FunctionCall(NamedTuple):
    pass


Message = Query | Parse | Bind | Describe | Close | Execute | Sync | Flush | Terminate | CopyData | FunctionCall


class _Body:
    """Reads the fields of one message in order. Raises ProtocolViolation when they don't fit."""

    def __init__(self, data: bytes | bytearray) -> None:
        """A bytearray is given away: parts of it are used where they lie."""
        self.data = data
        self.position = 0

    def string(self) -> str:
        return decode_text(self._raw(self._string_end()))

    def text(self) -> Text:
        """SQL. A short one is checked to be UTF-8; of a long one whoever reads it checks what is used."""
        end = self._string_end()
        if not isinstance(self.data, bytearray) or end - self.position <= LARGE:
            raw = self._raw(end)
            decode_text(raw)
            return raw
        if len(self.data) - end > MOST_TYPES:
            raise ProtocolViolation("invalid message format")
        text, rest, begin = self.data, bytes(self.data[end + 1 :]), self.position
        del text[end:], text[:begin]  # neither copies anything
        self.data, self.position = rest, 0
        return text

    def _string_end(self) -> int:
        end = self.data.find(b"\0", self.position)
        if end < 0:
            raise ProtocolViolation("invalid string in message")
        return end

    def _raw(self, end: int) -> bytes:
        raw = bytes(self.data[self.position : end])
        self.position = end + 1
        return raw

    def byte(self) -> bytes:
        return self.take(1)

    def int16(self) -> int:
        return int.from_bytes(self.take(2), "big", signed=True)

    def int32(self) -> int:
        return int.from_bytes(self.take(4), "big", signed=True)

    def take(self, length: int) -> bytes:
        return bytes(self.value(length))

    def value(self, length: int) -> bytes | memoryview:
        begin, end = self.position, self.position + length
        if length < 0 or end > len(self.data):
            raise ProtocolViolation("insufficient data left in message")
        self.position = end
        return bytes(self.data[begin:end]) if length <= LARGE else memoryview(self.data)[begin:end]

    def count(self) -> int:
        count = self.int16()
        if count < 0:
            raise ProtocolViolation("negative count in message")
        return count

    def int16s(self) -> tuple[int, ...]:
        count = self.count()
        return struct.unpack(f"!{count}h", self.take(2 * count))

    def finish(self) -> None:
        if self.position != len(self.data):
            raise ProtocolViolation("invalid message format")


def decode_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise invalid_encoding(error) from None


def invalid_encoding(error: UnicodeDecodeError) -> InvalidEncoding:
    found = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.start + 4])
    return InvalidEncoding(f"invalid byte sequence for encoding UTF8: {found}")


def decode_startup(data: bytes) -> Startup | EncryptionRequest | CancelRequest:
    """The first packet of a connection, without its length. Raises ProtocolViolation."""
    body = _Body(data)
    code = body.int32()
    if code in (SSL_REQUEST, GSSENC_REQUEST):
        return EncryptionRequest(tls=code == SSL_REQUEST)
    if code == CANCEL_REQUEST:
        return CancelRequest(body.int32(), data[body.position : body.position + 256])
    if code >> 16 != PROTOCOL_3:
        raise ProtocolViolation(f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: the server speaks 3.0")
    parameters: dict[str, str] = {}
    while name := body.string():
        parameters[name] = body.string()
    body.finish()
    return Startup(code & 0xFFFF, parameters)


def decode_sasl_initial(data: bytes) -> tuple[str, bytes]:
    """SASLInitialResponse → mechanism, client-first message. Raises ProtocolViolation."""
    body = _Body(data)
    mechanism = body.string()
    first = body.take(body.int32())
    body.finish()
    return mechanism, first


def _query(body: _Body) -> Query:
    return Query(body.text())


def _parse(body: _Body) -> Parse:
    name, query = body.string(), body.text()
    count = body.count()
    return Parse(name, query, struct.unpack(f"!{count}I", body.take(4 * count)))


def _bind(body: _Body) -> Bind:
    portal, statement, formats = body.string(), body.string(), body.int16s()
    values: list[bytes | memoryview | None] = []
    for _ in range(body.count()):
        length = body.int32()
        values.append(None if length == -1 else body.value(length))
    return Bind(portal, statement, formats, tuple(values), body.int16s())


def _execute(body: _Body) -> Execute:
    name = body.string()
    body.int32()  # the row limit: one row is all there ever is
    return Execute(name)


def _portal(body: _Body) -> bool:
    kind = body.byte()
    if kind not in (b"S", b"P"):
        raise ProtocolViolation("a statement or a portal, and nothing else, can be described and closed")
    return kind == b"P"


_DECODERS: Final[dict[int, Callable[[_Body], Message]]] = {
    b"Q"[0]: _query,
    b"P"[0]: _parse,
    b"B"[0]: _bind,
    b"E"[0]: _execute,
    b"D"[0]: lambda body: Describe(_portal(body), body.string()),
    b"C"[0]: lambda body: Close(_portal(body), body.string()),
    b"S"[0]: lambda body: Sync(),
    b"H"[0]: lambda body: Flush(),
    b"X"[0]: lambda body: Terminate(),
}
_COPY: Final = frozenset(b"dcf")
TYPES: Final = frozenset(_DECODERS) | _COPY | frozenset(b"FEp")
SIMPLE: Final = frozenset(b"QF")
"""messages that are answered with ReadyForQuery, so that an error in them skips nothing"""


def decode(kind: int, data: bytes | bytearray) -> Message:
    """One message after authentication: its type byte and its body, which is given away if it is a bytearray.

    Raises ProtocolViolation, InvalidEncoding.
    """
    if kind in _COPY:
        return CopyData()
    if kind == b"F"[0]:
        return FunctionCall()
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise ProtocolViolation(f"unexpected message type {chr(kind)!r}")
    body = _Body(data)
    message = decoder(body)
    body.finish()
    return message
