"""Values as PostgreSQL writes them in text: a vector on its way out, a bytea on its way in. Pure."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from thanopg.errors import InvalidArgument

SLICE: Final = 64 * 1024
"""digits that are read at once"""
NOT_HEX: Final = "invalid hexadecimal data in a bytea"
HEX_HINT: Final = "write it as '\\x' and two hexadecimal digits for each byte"
_ESCAPE = re.compile(rb"\\(?:(\\)|([0-3][0-7]{2})|)")


def vector_literal(vector: NDArray[np.float32]) -> bytes:
    """One float32 vector as pgvector reads it, each number in the fewest digits that give the same float32 back."""
    return ("[" + ",".join(vector.astype("U").tolist()) + "]").encode("ascii")


def parse_bytea(text: str) -> bytes:
    r"""Text form of a bytea, hex (``\x00ff``) or escape (``\000abc\\``). Raises InvalidArgument.

    https://www.postgresql.org/docs/current/datatype-binary.html
    """
    if text.startswith("\\x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            raise InvalidArgument(NOT_HEX, hint=HEX_HINT) from None
    return _ESCAPE.sub(_unescape, text.encode())


def unhex(text: memoryview, into: memoryview) -> Iterator[None]:
    r"""The bytes of a long bytea in hex (``\x00ff``), a slice at every step. Raises InvalidArgument."""
    if bytes(text[:2]) != b"\\x":
        raise InvalidArgument("a long bytea must be in hexadecimal form", hint=HEX_HINT)
    if len(text) != 2 + 2 * len(into):
        raise InvalidArgument(NOT_HEX, hint=HEX_HINT)
    for start in range(0, len(into), SLICE // 2):
        digits = text[2 + 2 * start : 2 + 2 * start + SLICE]
        try:
            into[start : start + SLICE // 2] = binascii.unhexlify(digits)
        except binascii.Error:
            raise InvalidArgument(NOT_HEX, hint=HEX_HINT) from None
        yield


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return b"\\"
    if match[2] is not None:
        return bytes([int(match[2], 8)])
    raise InvalidArgument("invalid backslash in a bytea", hint=HEX_HINT)
