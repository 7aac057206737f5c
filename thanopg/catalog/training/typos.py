"""Texts as people leave them: a letter lost, doubled or swapped, a space forgotten, a final consonant dropped, and
words around what is meant that mean nothing here."""

from __future__ import annotations

from random import Random

from thanopg.catalog import talk_en, talk_ko

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


def surround(text: str, random: Random) -> str:
    """With up to three words before or after it that say nothing: parts of other sentences, or no words at all."""
    korean = random.random() < 0.5
    if random.random() < 0.5:
        sentences = talk_ko.SENTENCES if korean else talk_en.SENTENCES
        words = random.choice(tuple(sentences.values())).lower().rstrip(".").split()
        start = random.randrange(len(words))
        noise = " ".join(words[start : start + random.randint(1, 3)])
    else:
        first, last = (_FIRST_SYLLABLE, _LAST_SYLLABLE) if korean else (ord("a"), ord("z"))
        lengths = [random.randint(1, 3 if korean else 7) for _ in range(random.randint(1, 3))]
        noise = " ".join("".join(chr(random.randint(first, last)) for _ in range(length)) for length in lengths)
    return f"{noise} {text}" if random.random() < 0.5 else f"{text} {noise}"


def _open(letter: str) -> str:
    """A Hangul syllable without its final consonant: 는 → 느."""
    code = ord(letter)
    if not _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        return letter
    return chr(code - (code - _FIRST_SYLLABLE) % _FINALS)
