"""Cuts the bytes of one connection into packets, and bounds what a client can make us hold. Pure.

A message over the limit, or over what all connections may hold together, is skipped as it comes in, never collected;
the caller answers it with an error and the connection lives on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from thanopg.errors import LimitExceeded, ProtocolViolation, ThanopgError, TooBusy
from thanopg.service.frontend import LARGE, TYPES

MAX_STARTUP_PACKET: Final = 10_000
MAX_DECLARED: Final = 1024**3
"""a length beyond PostgreSQL's own largest message means that this is not the protocol"""
BUSY_HINT: Final = "other connections are sending large messages; try again in a moment"


class Budget:
    """Bytes of messages larger than LARGE that all connections together may hold."""

    def __init__(self, size: int) -> None:
        self.free = size

    def take(self, size: int) -> bool:
        if size > self.free:
            return False
        self.free -= size
        return True

    def give(self, size: int) -> None:
        self.free += size


class Packet(NamedTuple):
    kind: int
    body: bytes | bytearray
    refused: ThanopgError | None = None
    """why the body was skipped"""


class PacketReader:
    """Fed with what arrives; asked for the next whole packet."""

    def __init__(self, budget: Budget, limit: int) -> None:
        self._budget = budget
        self._limit = limit
        self._buffer = bytearray()
        self._skipping = 0
        self._refused: Packet | None = None
        self._admitted = False
        self.packets = 0
        """how many were handed out"""
        self.held = 0
        """bytes taken from the budget and not yet given back"""

    def feed(self, data: bytes | memoryview) -> None:
        if self._skipping:
            skipped = min(self._skipping, len(data))
            self._skipping -= skipped
            data = data[skipped:]
        self._buffer += data

    @property
    def waiting(self) -> int:
        """Bytes that have come in and were not asked for yet."""
        return len(self._buffer)

    @property
    def partial(self) -> bool:
        """Is a packet on its way that has begun and not ended?"""
        return bool(self._buffer or self._skipping)

    def startup_packet(self) -> bytes | None:
        """A packet without a type byte, as a connection's first ones are."""
        if len(self._buffer) < 4:
            return None
        length = int.from_bytes(self._buffer[:4], "big", signed=True)
        if not 8 <= length <= MAX_STARTUP_PACKET:
            raise ProtocolViolation("invalid length of startup packet")
        return self._cut(4, length)

    def message(self, *, limit: int | None = None) -> Packet | None:
        """The next message. Raises ProtocolViolation when the bytes can't be one: the connection is lost then.

        With `limit` (before authentication) a longer one counts as that too.
        """
        if self._refused is not None:
            if self._skipping:
                return None
            refused, self._refused = self._refused, None
            return refused
        if len(self._buffer) < 5:
            return None
        kind = self._buffer[0]
        length = int.from_bytes(self._buffer[1:5], "big")
        if kind not in TYPES:
            raise ProtocolViolation(f"invalid frontend message type {kind}")
        if not 4 <= length <= (limit or MAX_DECLARED):
            raise ProtocolViolation("invalid message length")
        if length > LARGE and not self._admitted:
            refusal = self._admit(length)
            if refusal is not None:
                self._skip(length + 1)
                self._refused = Packet(kind, b"", refusal)
                return self.message()
        body = self._cut_large(5, length + 1) if length > LARGE else self._cut(5, length + 1)
        if body is None:
            return None
        self._admitted = False
        return Packet(kind, body)

    def release(self) -> None:
        """Nothing of the messages handed out is kept any more."""
        keep = int.from_bytes(self._buffer[1:5], "big") if self._admitted else 0
        self._budget.give(self.held - keep)
        self.held = keep

    def close(self) -> None:
        self._admitted = False
        self._buffer.clear()
        self.release()

    def _admit(self, length: int) -> ThanopgError | None:
        if length > self._limit:
            return LimitExceeded(
                f"a message of {length} bytes is over the limit of {self._limit}",
                hint="send a smaller image, or raise the image limit of the service",
            )
        if not self._budget.take(length):
            return TooBusy(hint=BUSY_HINT)
        self._admitted = True
        self.held += length
        return None

    def _skip(self, total: int) -> None:
        here = min(total, len(self._buffer))
        del self._buffer[:here]
        self._skipping = total - here

    def _cut(self, start: int, end: int) -> bytes | None:
        if len(self._buffer) < end:
            return None
        self.packets += 1
        with memoryview(self._buffer) as view:
            body = bytes(view[start:end])
        del self._buffer[:end]
        return body

    def _cut_large(self, start: int, end: int) -> bytearray | None:
        """The same without a copy of what is cut."""
        if len(self._buffer) < end:
            return None
        self.packets += 1
        body, self._buffer = self._buffer, self._buffer[end:]
        del body[end:], body[:start]
        return body
