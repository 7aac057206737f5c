"""The parts of training that need no torch: slips of the finger, tokens, lessons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from thanopg.catalog.catalogue import make_products
from thanopg.catalog.dice import dice
from thanopg.catalog.training.data import CatalogueDataset, PairDataset
from thanopg.catalog.training.tokens import END, PAD, START, encode, learn_tokenizer, save_tokenizer
from thanopg.catalog.training.typos import mistype
from thanopg.errors import InvalidArgument

PICTURES = np.zeros((40, 8, 8, 3), dtype=np.uint8)


def test_a_slip_is_small() -> None:
    random = dice("slips")
    slips = {mistype("방수 기능이 있는 부츠", random) for _ in range(200)}
    assert len(slips) > 15
    assert "방수 기능이 있느 부츠" in slips
    assert all(abs(len(slip) - len("방수 기능이 있는 부츠")) <= 1 for slip in slips)
    assert mistype("red", random) == "red"


def test_any_text_becomes_tokens_between_start_and_end(tmp_path: Path) -> None:
    tokenizer = learn_tokenizer(["빨간색 원피스", "red dress"] * 20, vocabulary=400, context_length=12)
    ids = encode(tokenizer, ["RED dress", "\u1112\u1161\u11ab글 🙂", "원피스 " * 40])
    assert ids.shape[1] <= 12
    end = tokenizer.token_to_id(END)
    assert end == tokenizer.get_vocab_size() - 1
    assert tokenizer.token_to_id(PAD) == 0
    assert (ids[:, 0] == tokenizer.token_to_id(START)).all()
    assert (ids.max(axis=1) == end).all()
    assert ids[0].tolist() == encode(tokenizer, ["red dress", "x" * 30])[0, : ids.shape[1]].tolist()
    save_tokenizer(tokenizer, tmp_path, context_length=12)
    assert {file.name for file in tmp_path.iterdir()} == {"tokenizer.json", "tokenizer_config.json"}


def test_a_lesson_knows_what_is_true() -> None:
    products = make_products(40, 3)
    lesson = CatalogueDataset(products, PICTURES).lesson(range(40), dice("lesson"))
    assert len(lesson.texts) == 80
    assert lesson.truth.shape == (80, 40)
    assert all(lesson.truth[2 * i, i] and lesson.truth[2 * i + 1, i] for i in range(40))
    assert 0.025 < lesson.truth.mean() < 0.3


def test_equal_texts_are_true_of_each_other() -> None:
    dataset = PairDataset(PICTURES[:3], [["A cat"], ["a  cat", "a kitten"], ["a dog"]])
    truths = [dataset.lesson([0, 1, 2], dice(i)).truth for i in range(10)]
    assert all(truth[0].tolist() == [True, True, False] for truth in truths)
    assert all(truth[2].tolist() == [False, False, True] for truth in truths)


def test_a_picture_without_a_text_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="at least one text"):
        PairDataset(PICTURES[:2], [["a cat"], []])
