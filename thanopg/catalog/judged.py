"""Queries with every product that answers them: what `thanopg evaluate` measures a catalogue's search with.

Three kinds: `looks` names what a picture shows, `use` also what only the description knows (방수, 격식 있는), `typo` is
either with a slip of the finger. All are wordings that training never has.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

from thanopg.catalog import phrases, talk_en, talk_ko
from thanopg.catalog.dice import dice
from thanopg.catalog.phrases import LANGUAGES, Language, is_held_out
from thanopg.catalog.product import Product
from thanopg.catalog.training.typos import mistype

Kind = Literal["looks", "use", "typo"]
SHARES: Mapping[Kind, float] = {"looks": 0.4, "use": 0.4, "typo": 0.2}
ENOUGH = 3
"""products that answer a query: fewer, and it measures little but luck"""
JUDGED_NAME = "queries.csv"
COLUMNS = ("query", "language", "kind", "relevant")
TRIES = 60
"""per query wanted, before it is given up"""


@dataclass(frozen=True, kw_only=True)
class JudgedQuery:
    text: str
    language: Language
    kind: Kind
    relevant: tuple[int, ...]
    """ids of all products that have everything named"""


def judged_queries(products: Sequence[Product], count: int, seed: int) -> list[JudgedQuery]:
    """About `count` different ones, half in each language; fewer where so few products can be asked for."""
    return [query for language in LANGUAGES for query in _of_language(products, language, count // 2, seed)]


def write_judged(path: Path, queries: Sequence[JudgedQuery]) -> None:
    """As csv; the keys of one query stand in one field, a space between them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for query in queries:
            writer.writerow([query.text, query.language, query.kind, " ".join(map(str, query.relevant))])


def qualities_of(product: Product) -> frozenset[str]:
    """What its description says it is good for."""
    return frozenset(name for name, sentence in talk_ko.SENTENCES.items() if sentence in product.description)


def _of_language(products: Sequence[Product], language: Language, count: int, seed: int) -> Iterator[JudgedQuery]:
    random = dice("judged", language, seed)
    shown = [(product.id, product.attributes, qualities_of(product)) for product in products]
    taken: set[str] = set()
    for kind, share in SHARES.items():
        wanted = round(count * share)
        for _ in range(wanted * TRIES):
            if not wanted:
                break
            _, attributes, qualities = random.choice(shown)
            use = kind == "use" or (kind == "typo" and random.random() < 0.5)
            if use and not qualities:
                continue
            quality = random.choice(sorted(qualities)) if use else None
            named = _named(attributes, random, few=use)
            relevant = tuple(
                number
                for number, other, also in shown
                if named.items() <= other.items() and (quality is None or quality in also)
            )
            if len(relevant) < ENOUGH:
                continue
            text = _worded(named, attributes, quality, language, random)
            if kind == "typo":
                text = mistype(text, random)
            if text in taken:
                continue
            taken.add(text)
            wanted -= 1
            yield JudgedQuery(text=text, language=language, kind=kind, relevant=relevant)


def _named(attributes: Mapping[str, str], random: Random, *, few: bool) -> dict[str, str]:
    """As people ask. `few`: whoever names a use says less of the looks, at most the colour."""
    named = phrases.choose_named(attributes, random)
    if few and "category" in named:
        return {
            name: named[name]
            for name in ("category", "colour")
            if name in named and (name != "colour" or random.random() < 0.4)
        }
    return named


def _worded(
    named: Mapping[str, str], attributes: Mapping[str, str], quality: str | None, language: Language, random: Random
) -> str:
    """In a frame that training never has, or a text that it leaves out."""
    frames = (talk_ko if language == "ko" else talk_en).HELD_FRAMES
    while True:
        text = phrases.plainly(named, attributes, language, random)
        if quality is not None:
            text = _with_quality(text, quality, language, random)
        if random.random() < 0.3:
            return str(random.choice(frames).format(text))
        if is_held_out(text):
            return text


def _with_quality(text: str, quality: str, language: Language, random: Random) -> str:
    if language == "en" and quality in talk_en.QUALITIES_AFTER and random.random() < 0.5:
        return f"{text} {random.choice(talk_en.QUALITIES_AFTER[quality])}"
    words = talk_ko if language == "ko" else talk_en
    return f"{random.choice(words.QUALITIES[quality])} {text}"
