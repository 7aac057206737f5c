"""Queries whose truth is known: those of the shopping example, and generated ones for measuring."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from thanopg.catalog import phrases
from thanopg.catalog.dice import dice
from thanopg.catalog.phrases import Language, Wording
from thanopg.catalog.product import Product

ENOUGH = 5
"""pictures that have everything named: fewer, and the first five can't all be right"""


@dataclass(frozen=True, kw_only=True)
class ExampleQuery:
    """A query to show, and the drawn attributes it names; `unseeable` says what no picture can answer."""

    text: str
    language: Language
    named: Mapping[str, str] = field(default_factory=dict)
    unseeable: tuple[str, ...] = ()


EXAMPLES: tuple[ExampleQuery, ...] = (
    ExampleQuery(
        text="밝은 빨간색 미니 원피스",
        language="ko",
        named={"category": "dress", "colour": "red", "shade": "light", "length": "mini"},
    ),
    ExampleQuery(
        text="어두운 파란색 롱 원피스",
        language="ko",
        named={"category": "dress", "colour": "blue", "shade": "dark", "length": "long"},
    ),
    ExampleQuery(
        text="소매가 없는 노란색 원피스",
        language="ko",
        named={"category": "dress", "colour": "yellow", "sleeve": "none"},
    ),
    ExampleQuery(
        text="흰색 로우탑 운동화",
        language="ko",
        named={"category": "sneakers", "colour": "white", "cut": "lowtop"},
    ),
    ExampleQuery(
        text="갈색 하이탑 운동화",
        language="ko",
        named={"category": "sneakers", "colour": "brown", "cut": "hightop"},
    ),
    ExampleQuery(
        text="여름에 입기 좋은 통기성 좋은 흰색 티셔츠",
        language="ko",
        named={"category": "tshirt", "colour": "white"},
        unseeable=("summer", "breathable"),
    ),
    ExampleQuery(
        text="격식 있는 회색 슬랙스 바지",
        language="ko",
        named={"category": "slacks", "colour": "grey"},
        unseeable=("formal",),
    ),
    ExampleQuery(
        text="발 편한 여성용 운동화",
        language="ko",
        named={"category": "sneakers"},
        unseeable=("comfortable", "women"),
    ),
    ExampleQuery(
        text="방수 기능이 있느 겨울 부츠",
        language="ko",
        named={"category": "boots"},
        unseeable=("waterproof",),
    ),
    ExampleQuery(
        text="골드 컬러의 미니멀한 디자인 귀걸이",
        language="ko",
        named={"category": "earrings", "colour": "gold"},
        unseeable=("minimal",),
    ),
    ExampleQuery(
        text="데일리 룩에 어울리는 실버 팔찌",
        language="ko",
        named={"category": "bracelet", "colour": "silver"},
        unseeable=("daily",),
    ),
    ExampleQuery(
        text="bright red mini dress",
        language="en",
        named={"category": "dress", "colour": "red", "shade": "light", "length": "mini"},
    ),
    ExampleQuery(
        text="white low-top sneakers",
        language="en",
        named={"category": "sneakers", "colour": "white", "cut": "lowtop"},
    ),
    ExampleQuery(
        text="navy coat for the office",
        language="en",
        named={"category": "coat", "colour": "blue", "shade": "dark"},
        unseeable=("office",),
    ),
    ExampleQuery(
        text="striped t-shirt with long sleeves",
        language="en",
        named={"category": "tshirt", "pattern": "striped", "sleeve": "long"},
    ),
    ExampleQuery(
        text="green backpack",
        language="en",
        named={"category": "bag", "colour": "green", "cut": "backpack"},
    ),
)
"""the eleven of the shopping example, its spelling kept, and five in English"""


def evaluation_queries(
    products: Sequence[Product],
    language: Language,
    count: int,
    seed: int,
    *,
    unseen: bool = True,
    only: Container[tuple[str, str]] | None = None,
) -> list[Wording]:
    """Up to `count` different texts that at least ENOUGH of the products answer in full.

    `unseen`: wordings that training never has. `only`: category and colour pairs that a query must name.
    """
    random = dice("queries", language, seed)
    shown = [product.attributes for product in products]
    asked = [i for i, product in enumerate(products) if only is None or (product.category, product.colour) in only]
    found: dict[str, Wording] = {}
    for _ in range(count * 20 if asked else 0):
        if len(found) == count:
            break
        attributes = shown[random.choice(asked)]
        named = phrases.choose_named(attributes, random)
        if only is not None:
            named = {name: value for name, value in named.items() if name != "group"}
            named |= {name: attributes[name] for name in ("category", "colour")}
        if sum(named.items() <= other.items() for other in shown) < ENOUGH:
            continue
        wording = phrases.query(attributes, language, random, named=named, unseen=unseen)
        found.setdefault(wording.text, wording)
    return list(found.values())
