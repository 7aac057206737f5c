"""Attributes read from a caption by a vocabulary: which words mean which value of which attribute. No torch here."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

Words = Mapping[str, Mapping[str, Sequence[str]]]
"""attribute → value → the words that mean it: {"colour": {"red": ["red", "빨간색"], …}, …}"""


class AttributeWords:
    """Finds what a text names, the longest words first: a bucket hat is a hat, and no bucket."""

    def __init__(self, words: Words) -> None:
        """Words of several attributes may be the same: navy names a colour and a shade."""
        meanings: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for attribute, values in words.items():
            for value, texts in values.items():
                for text in texts:
                    meanings.setdefault(_split(text), []).append((attribute, value))
        meanings.pop((), None)
        self._meanings = meanings
        self._attributes = tuple(words)
        self._longest = max(map(len, meanings), default=0)

    def named_in(self, text: str) -> dict[str, tuple[str, ...]]:
        """Every attribute → the values that the text names, the first first."""
        found: dict[str, dict[str, None]] = {attribute: {} for attribute in self._attributes}
        words = _split(text)
        position = 0
        while position < len(words):
            length = self._known_at(words, position)
            for attribute, value in self._meanings.get(words[position : position + length], ()):
                found[attribute][value] = None
            position += max(1, length)
        return {attribute: tuple(values) for attribute, values in found.items()}

    def attributes(self, text: str) -> dict[str, str]:
        """Attributes that the text names → the first value that it names."""
        return {attribute: values[0] for attribute, values in self.named_in(text).items() if values}

    def _known_at(self, words: tuple[str, ...], position: int) -> int:
        """How many of the words from here on mean something together; 0 if none do."""
        for length in range(min(self._longest, len(words) - position), 0, -1):
            if words[position : position + length] in self._meanings:
                return length
        return 0


def _split(text: str) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", text).lower().split())


def read_words(value: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    """What a JSON file says, checked. Raises TypeError for what is no `Words`."""
    if not isinstance(value, dict) or not all(isinstance(values, dict) for values in value.values()):
        raise TypeError("attributes: expected an object of objects of words")
    words = {name: {each: tuple(texts) for each, texts in values.items()} for name, values in value.items()}
    if not all(isinstance(text, str) for values in words.values() for texts in values.values() for text in texts):
        raise TypeError("attributes: expected words")
    return words
