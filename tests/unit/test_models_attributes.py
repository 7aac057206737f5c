"""A captioner's answer becomes a sentence, and attributes where it is, or holds, one JSON object."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thanopg.models.attributes import DEPTH, KEY, LONGEST_ANSWER, MEMBERS, STRING, caption_of
from thanopg.models.embedder import Caption

DRESS = {"category": "원피스", "colour": "red"}


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    ("answer", "caption"),
    [
        ("a red dress", Caption("a red dress")),
        (" a\n red\tdress \x00\ufffd", Caption("a red dress")),
        (unicodedata.normalize("NFD", "빨간 원피스"), Caption("빨간 원피스")),
        ("", Caption("")),
        (
            '{"caption": "빨간 원피스", "colour": "red"}',
            Caption("빨간 원피스", {"caption": "빨간 원피스", "colour": "red"}),
        ),
        ('{"description": "a  dress", "caption": 1}', Caption("a dress", {"description": "a  dress", "caption": 1})),
        (f"A red dress. {json.dumps(DRESS)}", Caption("A red dress.", DRESS)),
        (f"```json\n{json.dumps(DRESS, ensure_ascii=False)}\n```", Caption("원피스, red", DRESS)),
        (f"Here {{so}}:\n```json\n{json.dumps(DRESS)}\n```\nDone :{{", Caption("Here {so}: Done :{", DRESS)),
        (f"[{json.dumps(DRESS)}]", Caption("원피스, red", DRESS)),
        (
            '{"caption": "", "colours": ["red", "blue", 3]}',
            Caption("red, blue", {"caption": "", "colours": ["red", "blue", 3]}),
        ),
        ("{}", Caption("", {})),
        (r'{"caption": "\u212b \ube68\uac04 \ud83d\udc57"}', Caption("\u00c5 빨간 👗", {"caption": "\u212b 빨간 👗"})),
    ],
)
def test_answers(answer: str, caption: Caption) -> None:
    assert caption_of(answer) == caption


@pytest.mark.parametrize(
    "answer",
    [
        '{"caption": "a red dress", "colour": "re',
        '{"colour": "red", "size": {"cm": 90}',
        "{'colour': 'red'}",
        '[{"colour": "red"}, {"colour": "blue"}]',
        '{"a": 1} {"b": 2}',
        '{"price": NaN}',
        '{"price": Infinity}',
        '{"price": 1e999}',
        '{"price": 10000000000000000}',
        '{"colour": "\\u0000"}',
        '{"colour": "\\ud83d"}',
        '{"\\u0000": 1}',
        json.dumps({"k" * (KEY + 1): 1}),
        json.dumps({"k": "s" * (STRING + 1)}),
        json.dumps({"k": list(range(MEMBERS))}),
        json.dumps(nested(DEPTH + 1)),
        "{" * 5_000,
        '{"a":' * 5_000,
        '{"k": [' + "[" * 5_000,
    ],
)
def test_what_is_no_object_or_too_large_is_text(answer: str) -> None:
    found = caption_of(answer)
    assert found.attributes is None
    assert found.text == " ".join(answer[:LONGEST_ANSWER].split())


def test_bounds_are_reached() -> None:
    for value in ({"k" * KEY: "s" * STRING}, {"k": list(range(MEMBERS - 2))}, nested(DEPTH)):
        assert caption_of(json.dumps(value)).attributes == value


def test_an_endless_answer_is_cut_off() -> None:
    assert len(caption_of("red " * LONGEST_ANSWER).text) <= LONGEST_ANSWER


@given(st.text(alphabet='{}[]":,ab0e+-.\\u원 \n\x00\ud800'))
def test_any_answer_can_be_stored(answer: str) -> None:
    found = caption_of(answer)
    found.text.encode("utf-8")
    assert "\0" not in found.text
    if found.attributes is not None:
        assert json.loads(json.dumps(found.attributes, allow_nan=False)) == found.attributes
