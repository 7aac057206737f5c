"""Prompts before queries and passages: a model's own, or those of the family that it is named after."""

from __future__ import annotations

import pytest

from thanopg.models.text_prompts import TextPrompts, text_prompts

E5 = TextPrompts("query: ", "passage: ")
NONE = TextPrompts("", "")


@pytest.mark.parametrize(
    ("name", "prompts"),
    [
        ("intfloat/multilingual-e5-base", E5),
        ("intfloat/multilingual-e5-base@main", E5),
        ("/root/.cache/torch/sentence_transformers/intfloat_multilingual-e5-base/", E5),
        ("intfloat/e5-large-v2", E5),
        ("nlpai-lab/KoE5", E5),
        ("intfloat/multilingual-e5-large-instruct", NONE),
        ("intfloat/e5-mistral-7b-instruct", NONE),
        ("BAAI/bge-m3", NONE),
        ("some/model-ae5", NONE),
        ("some/the5th", NONE),
        ("", NONE),
    ],
)
def test_families_by_their_names(name: str, prompts: TextPrompts) -> None:
    assert text_prompts({"query": "", "document": ""}, None, "mine", name) == prompts


@pytest.mark.parametrize(
    ("configured", "default", "prompts"),
    [
        ({"query": "질문: ", "document": "글: "}, None, ("질문: ", "글: ")),
        ({"query": "q ", "document": "", "passage": "p ", "corpus": "c "}, None, ("q ", "p ")),
        ({"query": "q ", "document": None}, None, ("q ", "")),
        ({"query": "", "document": "", "both": "b "}, "both", ("b ", "b ")),
        ({"query": "q ", "both": "b "}, "both", ("q ", "")),
        ({"query": ""}, "nothing", E5),
    ],
)
def test_a_models_own_come_first(
    configured: dict[str, str | None], default: str | None, prompts: tuple[str, str]
) -> None:
    assert text_prompts(configured, default, "e5") == TextPrompts(*prompts)
