"""Wordings name what they say they name, in both languages, and those of the examination are not in the lessons."""

from __future__ import annotations

import pytest

from thanopg.catalog import phrases, talk_en, talk_ko, words_en, words_ko
from thanopg.catalog.attributes import CATEGORIES, OPTIONAL
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.dice import dice
from thanopg.catalog.palette import COLOURS
from thanopg.catalog.phrases import LANGUAGES, Language
from thanopg.catalog.queries import ENOUGH, EXAMPLES, evaluation_queries

WORDS = {"ko": words_ko, "en": words_en}
TALK = {"ko": talk_ko, "en": talk_en}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_query_says_the_colour_it_names_and_no_other(language: Language) -> None:
    random = dice("test")
    for product in make_products(300, 9):
        wording = phrases.query(product.attributes, language, random)
        colour, shade = wording.named.get("colour"), wording.named.get("shade")
        if colour is not None:
            toned = WORDS[language].TONED.get((colour, shade or ""), ())
            assert any(word in wording.text for word in (*WORDS[language].COLOURS[colour], *toned)), wording
        assert product.shows(wording.named)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_names_all_that_is_not_usual(language: Language) -> None:
    for product in make_products(100, 9):
        named = phrases.caption(product.attributes, language, dice(product.seed)).named
        assert named["category"] == product.category
        assert named["colour"] == product.colour
        assert ("sleeve" in named) == (product.sleeve is not None)
        assert ("pattern" in named) == (product.pattern != "plain")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_has_words(language: Language) -> None:
    words, talk = WORDS[language], TALK[language]
    assert set(words.NOUNS) == set(CATEGORIES)
    assert set(words.COLOURS) == set(COLOURS)
    for category in CATEGORIES.values():
        assert set(category.patterns) <= set(words.PATTERNS)
        for name in OPTIONAL:
            assert set(category.values(name)) <= set(words.ADJECTIVES[name])
        assert set(category.qualities) <= set(talk.QUALITIES) & set(talk.SENTENCES)
    kinds = {(c.name, value) for c in CATEGORIES.values() for name in OPTIONAL for value in c.values(name)}
    assert set(words.KINDS) <= kinds


@pytest.mark.parametrize("language", LANGUAGES)
def test_unseen_wordings_never_occur_in_training(language: Language) -> None:
    random = dice("unseen")
    products = make_products(400, 9)
    taught = {phrases.query(p.attributes, language, random).text for p in products for _ in range(8)}
    unseen = {phrases.query(p.attributes, language, random, unseen=True).text for p in products}
    assert not taught & unseen
    assert not any(phrases.is_held_out(text) for text in taught)
    frames = TALK[language].HELD_FRAMES
    assert not set(frames) & set(TALK[language].FRAMES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_evaluation_queries_have_enough_answers(language: Language) -> None:
    products = make_products(500, 9)
    queries = evaluation_queries(products, language, 40, 1)
    assert len({query.text for query in queries}) == 40
    for query in queries:
        assert sum(product.shows(query.named) for product in products) >= ENOUGH


def test_words_are_plentiful() -> None:
    product = next(p for p in make_products(200, 9) if p.category == "dress")
    for language in LANGUAGES:
        random = dice("many")
        texts = {phrases.query(product.attributes, language, random).text for _ in range(300)}
        assert len(texts) > 150


def test_the_shopping_example_is_there_word_for_word() -> None:
    korean = [example.text for example in EXAMPLES if example.language == "ko"]
    assert len(korean) == 11
    assert korean[0] == "밝은 빨간색 미니 원피스"
    assert korean[8] == "방수 기능이 있느 겨울 부츠"
    assert any(example.language == "en" for example in EXAMPLES)
