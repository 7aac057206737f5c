"""What is written before a text so that an encoder knows whether it is a question or an answer. No torch here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

QUERY, PASSAGE = ("query",), ("document", "passage", "corpus")
"""names of prompts in a model's configuration, the first that says something counts"""
E5 = re.compile(r"(?<![a-z0-9])(ko)?e5(?![a-z0-9])(?!.*(instruct|mistral))", re.IGNORECASE)
"""in the name of a model or of the one it was trained from; those that take instructions say them themselves"""


class TextPrompts(NamedTuple):
    query: str
    passage: str


def text_prompts(prompts: Mapping[str, str | None], default: str | None, *names: str) -> TextPrompts:
    """From a model's configuration, and where it has none, from its names: E5 was published without."""
    found = TextPrompts(*(_first(prompts, several) for several in (QUERY, PASSAGE)))
    if any(found):
        return found
    if default is not None and (text := prompts.get(default)):
        return TextPrompts(text, text)
    if any(E5.search(name) for name in names):
        return TextPrompts("query: ", "passage: ")
    return TextPrompts("", "")


def _first(prompts: Mapping[str, str | None], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := prompts.get(name))), "")
