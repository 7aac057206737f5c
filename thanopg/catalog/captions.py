"""What a captioner is taught to write of a product, and what a written caption names, read by the catalogue's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from thanopg.catalog import phrases, words_en, words_ko
from thanopg.catalog.attributes import CATEGORIES
from thanopg.catalog.phrases import Language
from thanopg.models.attribute_words import AttributeWords

PAIRS = frozenset({"trousers", "shoes"})
"""groups whose products English counts in pairs"""
PAIRED = frozenset({"earrings", "sunglasses"})


def caption_of(attributes: Mapping[str, str], language: Language) -> str:
    """One caption in the plainest words: all that is drawn, from shade and colour to the category.

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
    return {name: frozenset(values) for name, values in _known(language).named_in(text).items()}


def names_right(text: str, attributes: Mapping[str, str], language: Language, *names: str) -> bool:
    """Does the text name these attributes as they are, and no other value of them."""
    found = named_in(text, language)
    return all(found[name] == {attributes[name]} for name in names)


@cache
def _known(language: Language) -> AttributeWords:
    known: dict[str, dict[str, list[str]]] = {"category": {}, "colour": {}}
    words = words_ko if language == "ko" else words_en
    for attribute, value, texts in (
        *(("colour", colour, texts) for colour, texts in words.COLOURS.items()),
        *(("colour", colour, texts) for (colour, _), texts in words.TONED.items()),
        *(("category", category, texts) for category, texts in words.NOUNS.items()),
        *(("category", category, texts) for (category, _), texts in words.KINDS.items()),
    ):
        known[attribute].setdefault(value, []).extend(texts)
    return AttributeWords(known)
