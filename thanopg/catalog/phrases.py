"""Says a product's attributes in words: short queries and full captions, in Korean and English, in many wordings.

Every wording comes with exactly the attributes that it names, so that truth is known: qualities that no picture
shows are said too, and name nothing. A share of the wordings never occurs in training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from thanopg.catalog import talk_en, talk_ko, words_en, words_ko
from thanopg.catalog.attributes import CATEGORIES, EXAMINATION

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")
SAID_BY_NOUNS = ("cut", "heel", "neckline", "material")
"""attributes that a noun of its own may say: a hoodie, an ankle boot"""
_HELD_OUT_OF_100 = 8


@dataclass(frozen=True, kw_only=True)
class Wording:
    """A text and the attributes that a picture must show to be what it asks for."""

    text: str
    named: Mapping[str, str]
    language: Language


def is_held_out(text: str) -> bool:
    """Is this exact wording, but for case and spaces, kept out of training."""
    digest = hashlib.sha256(f"{EXAMINATION}/{''.join(text.lower().split())}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < _HELD_OUT_OF_100


def choose_named(attributes: Mapping[str, str], random: Random) -> dict[str, str]:
    """As people ask: the category, mostly a colour, one or two things more."""
    named: dict[str, str] = {}
    group = attributes["group"]
    if group in words_ko.GROUPS and random.random() < 0.05:
        named["group"] = group
        named["colour"] = attributes["colour"]
    else:
        named["category"] = attributes["category"]
        if random.random() < 0.86:
            named["colour"] = attributes["colour"]
        chances = {"length": 0.36, "sleeve": 0.32, "cut": 0.36, "heel": 0.40, "pattern": 0.26}
        chances |= {"neckline": 0.26, "material": 0.30}
        for name, chance in chances.items():
            unusual = name != "pattern" or attributes.get("pattern") != "plain"
            if name in attributes and random.random() < (chance if unusual else 0.06):
                named[name] = attributes[name]
    if "colour" in named and attributes["shade"] != "normal" and random.random() < 0.55:
        named["shade"] = attributes["shade"]
    return named


def all_named(attributes: Mapping[str, str]) -> dict[str, str]:
    """What a full caption names: all but what is usual."""
    return {
        name: value
        for name, value in attributes.items()
        if name != "group" and (name, value) not in {("shade", "normal"), ("pattern", "plain")}
    }


def query(
    attributes: Mapping[str, str],
    language: Language,
    random: Random,
    *,
    named: Mapping[str, str] | None = None,
    unseen: bool = False,
) -> Wording:
    """A text as typed into a search box. `unseen`: in a frame or a wording that training never has."""
    chosen = dict(named) if named is not None else choose_named(attributes, random)
    talk = talk_ko if language == "ko" else talk_en
    for _ in range(200):
        phrase = _phrase(chosen, attributes, language, random)
        new_frame = unseen and random.random() < 0.5
        plain = random.random() < (0.5 if not new_frame else 0.0)
        frame = "{}" if plain else random.choice(talk.HELD_FRAMES if new_frame else talk.FRAMES)
        text = frame.format(phrase)
        if new_frame or is_held_out(text) == unseen:
            return Wording(text=text, named=chosen, language=language)
    return Wording(text=text, named=chosen, language=language)


def caption(attributes: Mapping[str, str], language: Language, random: Random) -> Wording:
    """A sentence or a title that names everything drawn that is not usual."""
    named = all_named(attributes)
    talk = talk_ko if language == "ko" else talk_en
    text = random.choice(talk.CAPTIONS).format(_phrase(named, attributes, language, random, idle=0.1))
    return Wording(text=text, named=named, language=language)


def title(attributes: Mapping[str, str], language: Language) -> str:
    """The plainest words, in the usual order."""
    return _phrase(all_named(attributes), attributes, language, _Plain(), idle=0.0)


def plainly(named: Mapping[str, str], attributes: Mapping[str, str], language: Language, random: Random) -> str:
    """Words for what is named, by any of its names, and for nothing else."""
    return _phrase(named, attributes, language, random, idle=0.0)


class _Plain(Random):
    """No chance at all: the first of everything, the usual order."""

    def random(self) -> float:
        return 0.999

    def choice(self, seq):  # type: ignore[no-untyped-def]  # narrower than Random's overloads
        return seq[0]


def _phrase(
    named: Mapping[str, str], attributes: Mapping[str, str], language: Language, random: Random, *, idle: float = 0.34
) -> str:
    if language == "ko":
        return _korean(named, attributes, random, idle)
    return _english(named, attributes, random, idle)


def _pick(words: tuple[str, ...], random: Random) -> str:
    """Plain words more often than rare ones."""
    return words[0] if random.random() < 0.30 else random.choice(words)


def _colour(named: Mapping[str, str], language: Language, random: Random) -> list[str]:
    """Shade and colour stay together."""
    words = words_ko if language == "ko" else words_en
    if "colour" not in named:
        return []
    colour, shade = named["colour"], named.get("shade")
    if shade is None:
        return [_pick(words.COLOURS[colour], random)]
    toned = words.TONED.get((colour, shade))
    if toned and random.random() < 0.28:
        return [random.choice(toned)]
    return [f"{_pick(words.SHADES[shade], random)} {_pick(words.COLOURS[colour], random)}"]


def _head(named: Mapping[str, str], language: Language, random: Random) -> tuple[str, str | None]:
    """The noun, and the name of the attribute that it says beside the category."""
    words = words_ko if language == "ko" else words_en
    if "category" not in named:
        return random.choice(words.GROUPS[named["group"]]) if "group" in named else "", None
    category = named["category"]
    keys = ((name, (category, named[name])) for name in SAID_BY_NOUNS if name in named)
    kinds = [(name, words.KINDS[key]) for name, key in keys if key in words.KINDS]
    if kinds and random.random() > 0.30:
        said, nouns = random.choice(kinds)
        return _pick(nouns, random), said
    return _pick(words.NOUNS[category], random), None


def _qualities(attributes: Mapping[str, str], random: Random, idle: float) -> list[str]:
    """What the picture can't show. Mostly what suits the category, at times anything."""
    chosen: list[str] = []
    category = attributes.get("category")
    suited = CATEGORIES[category].qualities if category else ()
    while random.random() < idle and len(chosen) < 2:
        pool = suited if suited and random.random() < 0.75 else tuple(talk_ko.QUALITIES)
        chosen.append(random.choice(pool))
    return chosen


def _korean(named: Mapping[str, str], attributes: Mapping[str, str], random: Random, idle: float) -> str:
    w = words_ko
    head, said = _head(named, "ko", random)
    seen = _colour(named, "ko", random)
    seen += [
        _pick(words[named[name]], random) for name, words in w.ADJECTIVES.items() if name in named and name != said
    ]
    if random.random() < 0.30:
        random.shuffle(seen)
    idle_words = [_pick(talk_ko.QUALITIES[quality], random) for quality in _qualities(attributes, random, idle)]
    if random.random() < idle * 0.3:
        idle_words.append(random.choice(talk_ko.PRAISE))
    at = 0 if random.random() < 0.7 else random.randint(0, len(seen))
    parts = [*seen[:at], *idle_words, *seen[at:]]
    if random.random() < 0.05:
        return " ".join([head, *parts])
    return " ".join([*parts, head]).strip()


def _english(named: Mapping[str, str], attributes: Mapping[str, str], random: Random, idle: float) -> str:
    w = words_en
    head, said = _head(named, "en", random)
    before: list[str] = []
    after: list[str] = []
    for name, words in w.ADJECTIVES.items():
        if name not in named or name == said:
            continue
        later = w.PHRASES_AFTER.get(name, {}).get(named[name])
        if later and random.random() < 0.35:
            after.append(_pick(later, random))
        else:
            before.append(_pick(words[named[name]], random))
    colour = _colour(named, "en", random)
    if colour and random.random() < 0.10:
        after.insert(0, f"in {colour[0]}")
    else:
        before = [*colour, *before]
    if random.random() < 0.25:
        random.shuffle(before)
    for quality in _qualities(attributes, random, idle):
        if quality in talk_en.QUALITIES_AFTER and random.random() < 0.5:
            after.append(_pick(talk_en.QUALITIES_AFTER[quality], random))
        else:
            before.insert(
                0 if random.random() < 0.7 else random.randint(0, len(before)),
                _pick(talk_en.QUALITIES[quality], random),
            )
    if random.random() < idle * 0.3:
        before.insert(0, random.choice(talk_en.PRAISE))
    if random.random() < 0.04:
        return " ".join([head, *before, *after])
    return " ".join([*before, head, *after]).strip()
