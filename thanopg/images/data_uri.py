"""`data:` URIs (RFC 2397), base64 or percent-encoded."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from thanopg.errors import ImageError

WHITESPACE = re.compile(r"\s+")
URL_SAFE = str.maketrans("-_", "+/")


def read_data_uri(uri: str, *, max_bytes: int) -> bytes:
    """The bytes in a `data:` URI. The media type is not believed, so not read. Raises ImageError."""
    head, comma, payload = uri.partition(",")
    if not comma:
        raise ImageError("unsupported", "expected data:…;base64,… but there is no comma")
    is_base64 = head.rstrip().lower().endswith(";base64")
    if len(payload) > (3 * max_bytes + 3 if not is_base64 else 2 * max_bytes + 4):
        raise ImageError("too_large", f"expected at most {max_bytes} bytes in the data: URI")
    if not is_base64:
        return unquote_to_bytes(payload)
    text = WHITESPACE.sub("", unquote_to_bytes(payload).decode("latin-1")).translate(URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError("unsupported", "the data: URI is not valid base64") from error
