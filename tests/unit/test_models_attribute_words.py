"""Attributes read from captions by a vocabulary, and the vocabulary of the bundled captioner."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from thanopg.catalog.captions import caption_of
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.phrases import LANGUAGES
from thanopg.catalog.training.attribute_words import attribute_words, write_attribute_words
from thanopg.models.attribute_words import AttributeWords, read_words
from thanopg.models.bundled import BUNDLED_DIRECTORY

WORDS = {
    "category": {"bag": ["가방", "bag", "백팩"], "hat": ["hat", "bucket hat", "버킷 모자"]},
    "colour": {"blue": ["파란색", "Blue", "navy"], "red": ["빨간", "red"]},
    "shade": {"dark": ["dark", "navy"]},
}


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("a Navy bucket hat", {"category": "hat", "colour": "blue", "shade": "dark"}),
        ("파란색 버킷 모자", {"category": "hat", "colour": "blue"}),
        (unicodedata.normalize("NFD", "빨간 가방"), {"category": "bag", "colour": "red"}),
        ("a red and blue bag", {"category": "bag", "colour": "red"}),
        ("a bucket", {}),
        ("", {}),
    ],
)
def test_what_a_text_names(text: str, attributes: dict[str, str]) -> None:
    assert AttributeWords(WORDS).attributes(text) == attributes


def test_all_values_that_a_text_names() -> None:
    assert AttributeWords(WORDS).named_in("blue bag and red hat, blue") == {
        "category": ("bag",),
        "colour": ("blue", "red"),
        "shade": (),
    }
    assert AttributeWords({}).attributes("anything") == {}
    assert AttributeWords({"colour": {"red": ["", " "]}}).attributes("red") == {}


@pytest.mark.parametrize("value", [[], "red", {"colour": ["red"]}, {"colour": {"red": 1}}, {"colour": {"red": [1]}}])
def test_what_is_no_vocabulary(value: Any) -> None:
    with pytest.raises(TypeError):
        read_words(value)


def test_the_catalogues_words_say_what_is_drawn() -> None:
    """All of it but the cut of watches and sunglasses: "round" may be either's."""
    words = AttributeWords(attribute_words())
    for product in make_products(500, 5):
        usual = {("shade", "normal"), ("pattern", "plain")}
        drawn = {name: value for name, value in product.attributes.items() if name != "group"}
        drawn = {name: value for name, value in drawn.items() if (name, value) not in usual}
        if product.category in ("watch", "sunglasses"):
            drawn.pop("cut")
        for language in LANGUAGES:
            assert words.attributes(caption_of(product.attributes, language)) == drawn


def test_the_bundled_captioner_has_the_catalogues_words(tmp_path: Path) -> None:
    name = "captioner_config.json"
    bundled = (BUNDLED_DIRECTORY / name).read_text("utf-8")
    plain = {key: value for key, value in json.loads(bundled).items() if key != "attributes"}
    (tmp_path / name).write_text(json.dumps(plain))
    write_attribute_words(tmp_path)
    assert json.loads((tmp_path / name).read_text("utf-8")) == json.loads(bundled)
