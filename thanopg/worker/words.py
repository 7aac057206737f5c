"""Words as they are stored and compared: Unicode normal form C, and nothing that PostgreSQL can't hold."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any


class UnusableCaption(ValueError):
    """the words that a captioner wrote can't be stored"""


def normalised(text: str) -> str:
    """One text, one form: a Hangul syllable may have come as its letters."""
    return unicodedata.normalize("NFC", text)


def stored_text(text: str) -> str:
    """Raises UnusableCaption if nothing is left."""
    words = _storable(text).strip()
    if not words:
        raise UnusableCaption("an empty caption")
    return words


def stored_attributes(attributes: Mapping[str, Any] | None) -> str | None:
    """A JSON object as text. Raises UnusableCaption."""
    if attributes is None:
        return None
    if not isinstance(attributes, Mapping):
        raise UnusableCaption(f"attributes that are no JSON object but {type(attributes).__name__}")
    return json.dumps(_plain(attributes), ensure_ascii=False, allow_nan=False)


def _storable(text: str) -> str:
    """PostgreSQL takes neither NUL nor half a character."""
    return normalised(text.replace("\0", "").encode(errors="replace").decode())


def _plain(value: Any) -> Any:
    match value:
        case str():
            return _storable(value)
        case None | bool() | int():
            return value
        case float() if value - value == 0:
            return value
        case Mapping():
            return {_storable(str(name)): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    raise UnusableCaption(f"attributes that JSON can't hold: {type(value).__name__}")
