"""Short queries as people write them, half of them Korean, as many different ones as are wanted."""

from __future__ import annotations

from itertools import product

KOREAN = (
    ("빨간", "밝은 파란색", "어두운 초록색", "흰", "검은", "줄무늬", "꽃무늬", "체크"),
    ("긴팔", "반팔", "여름", "겨울", "방수", "가벼운", "두꺼운", "편안한"),
    ("원피스", "운동화", "셔츠", "부츠", "백팩", "목걸이", "바지", "재킷"),
)
ENGLISH = (
    ("a red", "a light blue", "a dark green", "a white", "a black", "a striped", "a flowered", "a checked"),
    ("long-sleeved", "short-sleeved", "summer", "winter", "waterproof", "light", "warm", "comfortable"),
    ("dress", "pair of sneakers", "shirt", "pair of boots", "backpack", "necklace", "skirt", "jacket"),
)


def different_queries(number: int, *, part: int = 0) -> list[str]:
    """Part 0 and part 1 of the same number have none in common, and so on."""
    pairs = zip(product(*KOREAN), product(*ENGLISH), strict=True)
    plain = [" ".join(words) for pair in pairs for words in pair]
    wanted = range(part * number, (part + 1) * number)
    return [plain[index % len(plain)] + f" {index // len(plain)}" * (index >= len(plain)) for index in wanted]
