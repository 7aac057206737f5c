"""What a captioner is taught to write of a product, and what a written caption names, read by the catalogue's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from thanopg.catalog import phrases, words_en, words_ko
from thanopg.catalog.attributes import CATEGORIES
from thanopg.catalog.phrases import Language

PAIRS = frozenset({"trousers", "shoes"})
"""groups whose products English counts in pairs"""
PAIRED = frozenset({"earrings", "sunglasses"})


def caption_of(attributes: Mapping[str, str], language: Language) -> str:
    """One caption in the plainest words: shade, colour, pattern, sleeve, length, cut and category, all that is drawn.

    As with `phrases.all_named`, a medium shade and a plain cloth are not said.
    """
    title = phrases.title(attributes, language)
    if language == "ko":
        return title
    category = attributes["category"]
    if category in PAIRED or CATEGORIES[category].group in PAIRS:
        return f"a pair of {title}"
    return f"{'an' if title[0] in 'aeiou' else 'a'} {title}"


def named_in(text: str, language: Language) -> dict[str, frozenset[str]]:
    """`category` and `colour` → every value that the text names, the longest words first: a bucket hat is no bucket."""
    words = text.lower().split()
    found: dict[str, set[str]] = {"category": set(), "colour": set()}
    phrases_known = _known(language)
    longest = max(map(len, phrases_known))
    position = 0
    while position < len(words):
        for length in range(min(longest, len(words) - position), 0, -1):
            meaning = phrases_known.get(tuple(words[position : position + length]))
            if meaning is not None:
                for name, value in meaning:
                    found[name].add(value)
                position += length
                break
        else:
            position += 1
    return {name: frozenset(values) for name, values in found.items()}


def names_right(text: str, attributes: Mapping[str, str], language: Language, *names: str) -> bool:
    """Does the text name these attributes as they are, and no other value of them."""
    found = named_in(text, language)
    return all(found[name] == {attributes[name]} for name in names)


@cache
def _known(language: Language) -> dict[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Words → what they name."""
    return {tuple(text.lower().split()): meaning for text, meaning in _spoken(language)}


def _spoken(language: Language) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    words = words_ko if language == "ko" else words_en
    for colour, texts in words.COLOURS.items():
        yield from ((text, (("colour", colour),)) for text in texts)
    for (colour, _), texts in words.TONED.items():
        yield from ((text, (("colour", colour),)) for text in texts)
    for category, texts in words.NOUNS.items():
        yield from ((text, (("category", category),)) for text in texts)
    for (category, _), texts in words.KINDS.items():
        yield from ((text, (("category", category),)) for text in texts)
