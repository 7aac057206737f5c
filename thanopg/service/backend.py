"""What the service answers: values to bytes. Pure.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from thanopg.errors import ThanopgError

Status = Literal["I", "T", "E"]
Severity = Literal["ERROR", "FATAL", "NOTICE"]

NO_TABLE: Final = 0
TYPE_SIZES: Final = {23: 4, 2278: 4}
VARIABLE_SIZE: Final = -1
NO_MODIFIER: Final = -1

PARSE_COMPLETE: Final = b"1\0\0\0\4"
BIND_COMPLETE: Final = b"2\0\0\0\4"
CLOSE_COMPLETE: Final = b"3\0\0\0\4"
NO_DATA: Final = b"n\0\0\0\4"
EMPTY_QUERY: Final = b"I\0\0\0\4"
AUTHENTICATION_OK: Final = b"R\0\0\0\x08\0\0\0\0"
TLS_YES: Final = b"S"
ENCRYPTION_NO: Final = b"N"


class Column(NamedTuple):
    name: str
    oid: int


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def _string(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"


def authentication_sasl(mechanisms: Sequence[str]) -> bytes:
    return _message(b"R", struct.pack("!I", 10) + b"".join(_string(name) for name in mechanisms) + b"\0")


def authentication_continue(data: bytes) -> bytes:
    return _message(b"R", struct.pack("!I", 11) + data)


def authentication_final(data: bytes) -> bytes:
    return _message(b"R", struct.pack("!I", 12) + data)


def parameter_status(name: str, value: str) -> bytes:
    return _message(b"S", _string(name) + _string(value))


def backend_key_data(process_id: int, secret: bytes) -> bytes:
    return _message(b"K", struct.pack("!i", process_id) + secret)


def negotiate_protocol_version(unrecognised: Sequence[str]) -> bytes:
    """The newest minor version we speak is 3.0, and these options we don't know."""
    names = b"".join(_string(name) for name in unrecognised)
    return _message(b"v", struct.pack("!II", 0, len(unrecognised)) + names)


def ready_for_query(status: Status) -> bytes:
    return b"Z\0\0\0\5" + status.encode("ascii")


def parameter_description(types: Sequence[int]) -> bytes:
    return _message(b"t", struct.pack(f"!H{len(types)}I", len(types), *types))


def row_description(column: Column, result_format: int = 0) -> bytes:
    size = TYPE_SIZES.get(column.oid, VARIABLE_SIZE)
    return _message(
        b"T",
        b"\0\1"
        + _string(column.name)
        + struct.pack("!IhIhih", NO_TABLE, 0, column.oid, size, NO_MODIFIER, result_format),
    )


def data_row(value: bytes) -> bytes:
    """One row of one column."""
    length = len(value)
    return b"D" + (length + 10).to_bytes(4, "big") + b"\0\1" + length.to_bytes(4, "big") + value


def command_complete(tag: str) -> bytes:
    return _message(b"C", _string(tag))


def error_response(error: ThanopgError, severity: Severity = "ERROR") -> bytes:
    return _message(b"E", _report(severity, error.sqlstate, error.message, error.hint))


def notice_response(text: str) -> bytes:
    return _message(b"N", _report("NOTICE", "00000", text, ""))


def _report(severity: Severity, sqlstate: str, message: str, hint: str) -> bytes:
    fields: Iterable[tuple[bytes, str]] = (
        (b"S", severity),
        (b"V", severity),
        (b"C", sqlstate),
        (b"M", message),
        (b"H", hint),
    )
    return b"".join(key + _string(text) for key, text in fields if text) + b"\0"
