"""What there is to sell: categories, the attributes each is drawn with, and the combinations kept out of training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from thanopg.catalog.palette import CLOTH_COLOURS, METALS

PLAIN = ("plain",)
PATTERNS = ("plain", "striped", "dotted", "checked", "floral")
OPTIONAL = ("material", "neckline", "length", "sleeve", "cut", "heel")
"""those that only some categories have"""
DRAWN = ("category", "colour", "shade", "pattern", *OPTIONAL)
"""the attributes that a picture shows; `group` follows from the category"""
_UNPATTERNED = frozenset({"leather", "straw", "padded"})
"""materials that are drawn in one colour"""

_LEATHER = ("black", "brown", "white", "beige", "red", "grey", "blue", "khaki", "pink", "green")
_GEMS = (*METALS, "red", "blue", "green", "black", "white", "pink", "purple", "turquoise")


@dataclass(frozen=True, kw_only=True)
class Category:
    """One kind of product and the values its attributes take; an empty tuple: it has no such attribute."""

    name: str
    group: str
    colours: tuple[str, ...] = CLOTH_COLOURS
    patterns: tuple[str, ...] = PLAIN
    materials: tuple[str, ...] = ()
    necklines: tuple[str, ...] = ()
    lengths: tuple[str, ...] = ()
    sleeves: tuple[str, ...] = ()
    cuts: tuple[str, ...] = ()
    heels: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    """what no picture shows, said in descriptions and, idly, in queries"""
    weight: float = 1.0

    def values(self, name: str) -> tuple[str, ...]:
        """Those of an optional attribute."""
        values: tuple[str, ...] = getattr(self, f"{name}s")
        return values

    def materials_of(self, colour: str, pattern: str) -> tuple[str, ...]:
        """What it can be made of in this colour and pattern: a gold watch has no leather strap."""
        if "metal" in self.materials and colour in METALS:
            return ("metal",)
        return tuple(m for m in self.materials if pattern == "plain" or m not in _UNPATTERNED)


_ALL = (
    Category(
        name="dress",
        group="clothes",
        patterns=PATTERNS,
        necklines=("round", "vneck", "collar"),
        lengths=("mini", "long"),
        sleeves=("none", "short", "long"),
        qualities=("summer", "daily", "light", "party", "women", "comfortable"),
        weight=2.6,
    ),
    Category(
        name="tshirt",
        group="tops",
        patterns=PATTERNS,
        sleeves=("none", "short", "long"),
        necklines=("round", "vneck"),
        qualities=("breathable", "summer", "cotton", "washable", "daily", "comfortable", "sport"),
        weight=1.6,
    ),
    Category(
        name="shirt",
        group="tops",
        patterns=PATTERNS,
        sleeves=("short", "long"),
        qualities=("formal", "wrinkle", "office", "cotton", "men"),
        weight=1.3,
    ),
    Category(
        name="sweater",
        group="tops",
        patterns=("plain", "striped", "dotted"),
        necklines=("round", "vneck", "turtleneck", "hood"),
        qualities=("warm", "winter", "soft", "daily"),
        weight=1.3,
    ),
    Category(
        name="coat",
        group="clothes",
        patterns=("plain", "checked"),
        materials=("wool", "padded"),
        lengths=("short", "long"),
        qualities=("warm", "winter", "waterproof", "formal", "office"),
        weight=1.3,
    ),
    Category(
        name="skirt",
        group="clothes",
        patterns=PATTERNS,
        lengths=("mini", "long"),
        cuts=("flared", "pencil", "pleated"),
        qualities=("summer", "daily", "women", "office", "light"),
        weight=1.3,
    ),
    Category(
        name="slacks",
        group="trousers",
        patterns=("plain", "checked", "striped"),
        cuts=("slim", "wide"),
        qualities=("formal", "office", "wrinkle", "comfortable", "men"),
    ),
    Category(
        name="jeans",
        group="trousers",
        colours=("blue", "black", "grey", "white"),
        cuts=("slim", "wide"),
        qualities=("daily", "durable", "men", "comfortable"),
        weight=0.8,
    ),
    Category(
        name="shorts",
        group="trousers",
        patterns=PATTERNS,
        qualities=("summer", "sport", "light", "breathable"),
    ),
    Category(
        name="sneakers",
        group="shoes",
        cuts=("lowtop", "hightop"),
        qualities=("comfortable", "women", "men", "sport", "light", "daily"),
        weight=2.0,
    ),
    Category(
        name="boots",
        group="shoes",
        colours=(*_LEATHER, "yellow"),
        materials=("leather", "fur", "rubber"),
        cuts=("ankle", "tall"),
        qualities=("waterproof", "warm", "winter", "durable", "nonslip"),
        weight=1.2,
    ),
    Category(
        name="sandals",
        group="shoes",
        colours=(*_LEATHER, "yellow", "orange", "turquoise", "purple"),
        cuts=("crossed", "slide"),
        qualities=("summer", "comfortable", "light", "women"),
    ),
    Category(
        name="heels",
        group="shoes",
        colours=(*_LEATHER, "purple", "yellow"),
        heels=("high", "low", "wedge"),
        qualities=("formal", "party", "women"),
        weight=1.2,
    ),
    Category(
        name="bag",
        group="accessories",
        patterns=("plain", "striped", "dotted", "checked", "floral"),
        materials=("leather", "canvas", "straw"),
        cuts=("tote", "backpack", "crossbody"),
        qualities=("waterproof", "light", "durable", "daily", "office"),
        weight=1.5,
    ),
    Category(
        name="hat",
        group="accessories",
        patterns=("plain", "striped", "checked"),
        cuts=("cap", "beanie", "bucket"),
        qualities=("summer", "sport", "daily", "warm"),
        weight=1.3,
    ),
    Category(
        name="scarf",
        group="accessories",
        patterns=PATTERNS,
        qualities=("warm", "winter", "soft", "gift"),
    ),
    Category(
        name="watch",
        group="accessories",
        colours=(*METALS, "black", "brown", "white", "blue", "red", "green", "pink", "orange"),
        materials=("metal", "leather"),
        cuts=("roundface", "squareface"),
        qualities=("waterproof", "gift", "minimal", "men", "formal"),
        weight=1.2,
    ),
    Category(
        name="belt",
        group="accessories",
        colours=_LEATHER,
        materials=("leather", "braided"),
        qualities=("formal", "durable", "men", "gift"),
        weight=0.7,
    ),
    Category(
        name="earrings",
        group="jewellery",
        colours=_GEMS,
        cuts=("hoop", "drop", "stud"),
        qualities=("minimal", "gift", "daily", "party", "allergy"),
        weight=1.7,
    ),
    Category(
        name="bracelet",
        group="jewellery",
        colours=_GEMS,
        cuts=("bangle", "chain", "beads"),
        qualities=("daily", "minimal", "gift", "allergy"),
        weight=1.7,
    ),
    Category(
        name="necklace",
        group="jewellery",
        colours=_GEMS,
        cuts=("gem", "heart", "beads"),
        qualities=("minimal", "gift", "party", "allergy"),
        weight=1.3,
    ),
    Category(
        name="sunglasses",
        group="accessories",
        colours=("black", "brown", "white", "red", "blue", "pink", "green", "yellow", "purple"),
        cuts=("roundlens", "squarelens"),
        qualities=("summer", "light", "gift", "durable"),
        weight=0.8,
    ),
)

CATEGORIES: dict[str, Category] = {category.name: category for category in _ALL}

# What the shopping example asks for is always taught: a demonstration is not an examination.
_ALWAYS_TAUGHT = frozenset(
    {
        ("dress", "red"),
        ("dress", "blue"),
        ("dress", "yellow"),
        ("sneakers", "white"),
        ("sneakers", "brown"),
        ("tshirt", "white"),
        ("slacks", "grey"),
        ("earrings", "gold"),
        ("bracelet", "silver"),
        ("coat", "blue"),
        ("bag", "green"),
    }
)
_HELD_OUT_OF_100 = 6
EXAMINATION = "second"
"""which pairs and wordings are kept back; another word here and the model has to be trained and measured anew"""


def held_out(category: str, colour: str) -> bool:
    """Is this pair never drawn for training, so that it measures whether the model composes what it learned."""
    if (category, colour) in _ALWAYS_TAUGHT:
        return False
    digest = hashlib.sha256(f"{EXAMINATION}/{category}/{colour}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < _HELD_OUT_OF_100
