"""What a captioner wrote, as a caption: a sentence, and the attributes where it wrote one JSON object. No torch here.

Models write what they like, and a `jsonb` column takes less than that: an object is taken only as a whole and within
bounds that any answer in earnest keeps. Anything else is text.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from thanopg.models.embedder import Caption

LONGEST_ANSWER = 16_384
"""characters; more is cut off"""
MEMBERS, DEPTH, KEY, STRING, NUMBER = 256, 4, 64, 1_000, 1e15
"""of an object: values in all, levels, characters of a key and of a string, the largest number"""
SENTENCES = ("caption", "description")
"""members that hold the sentence"""
OBJECT = re.compile(r'\{\s*["}]')
"""where one begins; other braces are text"""
FENCE = re.compile(r"```[a-z]*", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffd]+")
"""what PostgreSQL refuses, what no sentence has, and the rest of a sign that was cut in half"""


def caption_of(answer: str) -> Caption:
    """A generated text → its caption; never raises."""
    answer = storable(answer[:LONGEST_ANSWER])
    found = _only_object(answer)
    if found is None:
        return Caption(_sentence(answer))
    attributes, around = found
    said = next((_sentence(text) for name in SENTENCES if isinstance(text := attributes.get(name), str)), "")
    if not said:
        around = FENCE.sub(" ", around)
        said = _sentence(around if any(map(str.isalnum, around)) else _words(attributes))
    return Caption(said, attributes)


def storable(text: str) -> str:
    """The text in Unicode's form C, and only what PostgreSQL takes."""
    return unicodedata.normalize("NFC", _accepted(text))


def _accepted(text: str) -> str:
    """Without the zero byte and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def _only_object(answer: str) -> tuple[dict[str, Any], str] | None:
    """The object and the text around it, if there is exactly one that is whole and keeps the bounds."""
    first = OBJECT.search(answer)
    if first is None:
        return None
    try:
        value, end = json.JSONDecoder(parse_constant=_refuse).raw_decode(answer, first.start())
    except (ValueError, RecursionError):
        return None
    if OBJECT.search(answer, end) or not _Bounds().keep(value, DEPTH):
        return None
    return value, f"{answer[: first.start()]} {answer[end:]}"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


class _Bounds:
    def __init__(self) -> None:
        self._left = MEMBERS

    def keep(self, value: Any, depth: int) -> bool:
        self._left -= 1
        if self._left < 0:
            return False
        if isinstance(value, dict):
            texts = all(len(key) <= KEY and _accepted(key) == key for key in value)
            return depth > 0 and texts and all(self.keep(member, depth - 1) for member in value.values())
        if isinstance(value, list):
            return depth > 0 and all(self.keep(member, depth - 1) for member in value)
        if isinstance(value, str):
            return len(value) <= STRING and _accepted(value) == value
        return not isinstance(value, int | float) or (math.isfinite(value) and abs(value) <= NUMBER)


def _sentence(text: str) -> str:
    return " ".join(CONTROL.sub(" ", storable(text)).split())


def _words(value: Any) -> str:
    """The texts of an object without a sentence, which say it as well: "dress, red"."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return ", ".join(words for member in value if (words := _words(member)))
    return value if isinstance(value, str) else ""
