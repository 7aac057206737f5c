"""What the words of the catalogue's captions mean, for the captioner's file: captions come with attributes by it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType

from thanopg.catalog import words_en, words_ko
from thanopg.catalog.attributes import CATEGORIES
from thanopg.catalog.phrases import SAID_BY_NOUNS
from thanopg.models.attribute_words import Words

_LANGUAGES = (words_ko, words_en)
_AMONG_OTHERS = ("category", "colour", "shade", "pattern", "sleeve", "length")
"""attributes whose words never mean a cut or the like: a long dress has no tall shaft"""


def attribute_words() -> Words:
    """Attribute → value → its words in every language, as `CaptionerConfig.attributes` has them."""
    spoken: dict[str, dict[str, dict[str, int]]] = {}
    for language in _LANGUAGES:
        for attribute, value, texts in _spoken(language):
            known = spoken.setdefault(attribute, {}).setdefault(value, {})
            for rank, text in enumerate(texts):
                known.setdefault(text.lower(), rank)
    others = {text for name in _AMONG_OTHERS for texts in spoken[name].values() for text in texts}
    kinds = {text for language in _LANGUAGES for texts in language.KINDS.values() for text in texts}
    found = {name: _certain(values) for name, values in spoken.items()}
    for name in SAID_BY_NOUNS:
        found[name] = {
            value: kept
            for value, texts in found[name].items()
            if (kept := tuple(text for text in texts if text in kinds or text not in others))
        }
    return found


def write_attribute_words(directory: Path) -> None:
    """Puts them into the captioner that lies in `directory`; nothing else of it changes."""
    from thanopg.models.captioner import CONFIG_FILE  # and with it torch, which the words need not

    file = directory / CONFIG_FILE
    config = {**json.loads(file.read_text("utf-8")), "attributes": attribute_words()}
    file.write_text(json.dumps(config, ensure_ascii=False) + "\n", encoding="utf-8")


def _spoken(words: ModuleType) -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Attribute, value, texts of one language, the plainest first."""
    for (category, value), texts in words.KINDS.items():
        yield "category", category, texts
        yield next(name for name in SAID_BY_NOUNS if value in CATEGORIES[category].values(name)), value, texts
    for (colour, shade), texts in words.TONED.items():
        yield "colour", colour, texts
        yield "shade", shade, texts
    for attribute, several in (
        ("category", words.NOUNS),
        ("colour", words.COLOURS),
        ("shade", words.SHADES),
        *words.ADJECTIVES.items(),
        *getattr(words, "PHRASES_AFTER", {}).items(),
    ):
        for value, texts in several.items():
            yield attribute, value, texts


def _certain(values: Mapping[str, Mapping[str, int]]) -> dict[str, tuple[str, ...]]:
    """Each word for the value whose list has it earliest, and for none where two do."""
    ranks: dict[str, list[int]] = {}
    for texts in values.values():
        for text, rank in texts.items():
            ranks.setdefault(text, []).append(rank)
    return {
        value: kept
        for value, texts in values.items()
        if (kept := tuple(text for text, rank in texts.items() if [rank] == [r for r in ranks[text] if r <= rank]))
    }
