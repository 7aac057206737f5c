"""Words that are stored: one form, nothing that PostgreSQL refuses, and attributes that are a JSON object."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from thanopg.worker.words import UnusableCaption, normalised, stored_attributes, stored_text

KOREAN = "빨간 줄무늬가 있는 런닝화 한 켤레"
LETTERS = unicodedata.normalize("NFD", KOREAN)


def test_one_form() -> None:
    assert LETTERS != KOREAN
    assert normalised(LETTERS) == normalised(KOREAN) == KOREAN
    assert stored_text(f"  {LETTERS}\n") == KOREAN


@pytest.mark.parametrize(
    ("given", "stored"), [("a\0b", "ab"), ("half \ud83d of it", "half ? of it"), ("✓ 신발", "✓ 신발")]
)
def test_what_postgresql_can_hold(given: str, stored: str) -> None:
    assert stored_text(given) == stored


@pytest.mark.parametrize("given", ["", " \n", "\0", "\u3000"])
def test_nothing_is_no_caption(given: str) -> None:
    with pytest.raises(UnusableCaption, match="an empty caption"):
        stored_text(given)


def test_attributes() -> None:
    given = {LETTERS: ["파랑\0", 1, 0.5, None, True, {"a": ("b",)}], 7: "key"}
    text = stored_attributes(given)
    assert text is not None and json.loads(text) == {KOREAN: ["파랑", 1, 0.5, None, True, {"a": ["b"]}], "7": "key"}
    assert stored_attributes(None) is None
    assert stored_attributes({}) == "{}"


@pytest.mark.parametrize("given", [["a"], "text", {"a": float("nan")}, {"a": {"b": object()}}, {"a": b"bytes"}])
def test_attributes_that_are_none(given: Any) -> None:
    with pytest.raises(UnusableCaption):
        stored_attributes(given)
