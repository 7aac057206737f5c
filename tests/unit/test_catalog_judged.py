"""Judged queries: all that is relevant and nothing else, in wordings that training never has, the same every time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from thanopg.catalog import talk_en, talk_ko
from thanopg.catalog.catalogue import make_products
from thanopg.catalog.judged import ENOUGH, JudgedQuery, judged_queries, qualities_of, write_judged
from thanopg.catalog.phrases import is_held_out
from thanopg.catalog.product import Product
from thanopg.relevance.judgements import key_text, read_csv


@pytest.fixture(scope="module")
def products() -> list[Product]:
    return make_products(600, 31, popular=True)


@pytest.fixture(scope="module")
def queries(products: list[Product]) -> list[JudgedQuery]:
    return judged_queries(products, 200, 5)


def test_make_up(products: list[Product], queries: list[JudgedQuery]) -> None:
    assert Counter((query.language, query.kind) for query in queries) == {
        (language, kind): number
        for language in ("ko", "en")
        for kind, number in (("looks", 40), ("use", 40), ("typo", 20))
    }
    assert len({query.text for query in queries}) == 200
    assert judged_queries(products, 200, 5) == queries != judged_queries(products, 200, 6)


def test_wordings_are_unseen(queries: list[JudgedQuery]) -> None:
    frames = [frame.split("{}") for words in (talk_ko, talk_en) for frame in words.HELD_FRAMES]
    for query in queries:
        framed = any(all(part in query.text for part in frame) for frame in frames)
        assert framed or is_held_out(query.text) or query.kind == "typo", query.text


def test_what_is_relevant_has_what_is_asked_for(products: list[Product], queries: list[JudgedQuery]) -> None:
    known = {product.id: product for product in products}
    for query in queries:
        assert len(query.relevant) >= ENOUGH
        relevant = [known[number] for number in query.relevant]
        if query.kind == "use":
            assert frozenset.intersection(*map(qualities_of, relevant)), query.text
        shared = dict(set.intersection(*({*product.attributes.items()} for product in relevant)))
        others = [p for p in products if shared.items() <= p.attributes.items() and p.id not in query.relevant]
        assert query.kind != "looks" or others == [], query.text  # whatever all of them show, nobody else shows


def test_a_use_is_known_by_the_description_alone(products: list[Product]) -> None:
    waterproof = [product for product in products if "waterproof" in qualities_of(product)]
    assert waterproof and all("방수" in product.description and "방수" not in product.name for product in waterproof)
    assert not any("방수" in product.description for product in products if "waterproof" not in qualities_of(product))


def test_the_csv_is_what_evaluate_reads(queries: list[JudgedQuery], tmp_path: Path) -> None:
    write_judged(tmp_path / "queries.csv", queries)
    read = read_csv(tmp_path / "queries.csv", ["id"])
    assert [(j.query, j.language, j.kind) for j in read] == [(q.text, q.language, q.kind) for q in queries]
    assert read[0].relevant == {key_text({"id": number}, ["id"]) for number in queries[0].relevant}
