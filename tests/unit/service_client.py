"""A client's side of the protocol, as bytes, for tests of the service."""

from __future__ import annotations

import struct
from collections.abc import Sequence

Reply = tuple[str, bytes]


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def query(text: str) -> bytes:
    return message("Q", text.encode() + b"\0")


def parse(text: str, name: str = "", types: Sequence[int] = ()) -> bytes:
    return message(
        "P", name.encode() + b"\0" + text.encode() + b"\0" + struct.pack(f"!H{len(types)}I", len(types), *types)
    )


def bind(
    *values: bytes | None, name: str = "", portal: str = "", formats: Sequence[int] = (), results: Sequence[int] = ()
) -> bytes:
    body = portal.encode() + b"\0" + name.encode() + b"\0" + struct.pack(f"!H{len(formats)}H", len(formats), *formats)
    body += struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("B", body + struct.pack(f"!H{len(results)}H", len(results), *results))


def describe(kind: str, name: str = "") -> bytes:
    return message("D", kind.encode() + name.encode() + b"\0")


def close(kind: str, name: str = "") -> bytes:
    return message("C", kind.encode() + name.encode() + b"\0")


def execute(portal: str = "") -> bytes:
    return message("E", portal.encode() + b"\0" + struct.pack("!i", 0))


SYNC = message("S")
FLUSH = message("H")


def startup(code: int = 196608, **parameters: str) -> bytes:
    body = struct.pack("!I", code)
    if parameters or code >> 16 == 3:
        body += b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!I", len(body) + 4) + body


def replies(data: bytes) -> list[Reply]:
    """Type and body of every message; fails on bytes that are no whole messages."""
    found = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        assert len(data) >= length + 1 and length >= 4
        found.append((chr(data[0]), data[5 : length + 1]))
        data = data[length + 1 :]
    return found


def kinds(data: bytes) -> str:
    """The types of the messages, ReadyForQuery followed by its status: `TDCZ I`-like without the space: `TDCZI`."""
    return "".join(kind + (body.decode() if kind == "Z" else "") for kind, body in replies(data))


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode() for part in body.split(b"\0") if part}


def errors(data: bytes) -> list[str]:
    """SQLSTATEs of the errors among the messages."""
    return [fields(body)["C"] for kind, body in replies(data) if kind == "E"]


def values(data: bytes) -> list[bytes]:
    """The one column of each DataRow."""
    return [body[6:] for kind, body in replies(data) if kind == "D"]
