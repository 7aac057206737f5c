"""Values as PostgreSQL writes them in text: a vector on its way out, a bytea on its way in. Pure."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from thanopg.errors import InvalidArgument

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
            raise InvalidArgument(
                "invalid hexadecimal data in a bytea", hint="write it as '\\x' and two hexadecimal digits for each byte"
            ) from None
    return _ESCAPE.sub(_unescape, text.encode())


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return b"\\"
    if match[2] is not None:
        return bytes([int(match[2], 8)])
    raise InvalidArgument(
        "invalid backslash in a bytea", hint="write it as '\\x' and two hexadecimal digits for each byte"
    )
