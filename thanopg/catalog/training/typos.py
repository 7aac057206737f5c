"""Texts as fingers leave them: a letter lost, doubled or swapped, a space forgotten, a final consonant dropped."""

from __future__ import annotations

from random import Random

_FIRST_SYLLABLE, _LAST_SYLLABLE, _FINALS = 0xAC00, 0xD7A3, 28


def mistype(text: str, random: Random) -> str:
    """One slip of the finger; texts under four characters stay as they are."""
    if len(text) < 4:
        return text
    at = random.randrange(len(text) - 1)
    kind = random.random()
    if kind < 0.40 and " " in text:
        spaces = [i for i, letter in enumerate(text) if letter == " "]
        at = random.choice(spaces)
        return text[:at] + text[at + 1 :]
    if kind < 0.60:
        return text[:at] + text[at + 1 :]
    if kind < 0.75:
        return text[: at + 1] + text[at:]
    if kind < 0.88:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + _open(text[at]) + text[at + 1 :]


def _open(letter: str) -> str:
    """A Hangul syllable without its final consonant: 는 → 느."""
    code = ord(letter)
    if not _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return letter
    return chr(code - (code - _FIRST_SYLLABLE) % _FINALS)
