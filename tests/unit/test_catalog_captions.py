"""What a captioner is taught to write, and that it is read back as it was meant."""

from __future__ import annotations

import pytest

from thanopg.catalog.captions import caption_of, named_in, names_right
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.phrases import LANGUAGES, Language

DRESS = {
    "group": "clothes",
    "category": "dress",
    "colour": "red",
    "shade": "light",
    "pattern": "striped",
    "length": "mini",
    "sleeve": "none",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_caption_names_its_category_and_colour_and_no_other(language: Language) -> None:
    for product in make_products(2000, 5):
        caption = caption_of(product.attributes, language)
        assert names_right(caption, product.attributes, language, "category", "colour"), caption


def test_captions_say_all_that_is_drawn() -> None:
    assert caption_of(DRESS, "ko") == "밝은 빨간색 줄무늬 소매가 없는 미니 원피스"
    assert caption_of(DRESS, "en") == "a light red sleeveless striped mini dress"
    shoes = {"group": "shoes", "category": "sneakers", "colour": "white", "shade": "normal", "pattern": "plain"}
    assert caption_of({**shoes, "cut": "lowtop"}, "en") == "a pair of white low-top sneakers"
    assert caption_of({**DRESS, "colour": "orange", "shade": "normal"}, "en").startswith("an orange ")


def test_the_longest_words_are_read_first() -> None:
    assert named_in("a navy bucket hat", "en") == {"category": {"hat"}, "colour": {"blue"}}
    assert named_in("하늘색 링 귀걸이와 같은 흰 백팩", "ko") == {"category": {"bag"}, "colour": {"blue", "white"}}
    assert named_in("nothing at all", "en") == {"category": frozenset(), "colour": frozenset()}


def test_two_colours_are_not_the_right_one() -> None:
    assert names_right("a red dress", DRESS, "en", "category", "colour")
    assert not names_right("a red blue dress", DRESS, "en", "colour")
    assert not names_right("a red", DRESS, "en", "category", "colour")
