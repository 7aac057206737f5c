"""`python -m benchmarks.threshold [PRODUCTS]`: does a threshold chosen on one half of the catalogue hold on the other?

For several precisions: the lowest threshold that reaches it on one half, and its precision on the other.
A probability rises with the similarity, so a threshold on the one is a threshold on the other.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thanopg.catalog.catalogue import write_catalogue
from thanopg.catalog.judged import judged_queries
from thanopg.catalog.product import Product
from thanopg.catalog.training.measure import embed_pictures
from thanopg.models.load import load_embedder

PRODUCTS, SEED = 4000, 7
QUERIES, QUERY_SEED = 400, 5
WANTED = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
THRESHOLDS = np.linspace(0, 1, 1001)
BY_CHANCE = 10


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        products = write_catalogue(Path(directory), count, SEED)
        model = load_embedder("bundled:catalog")
        pictures = embed_pictures(model, Path(directory), products)
    queries = [query for query in judged_queries(products, QUERIES, QUERY_SEED) if query.kind == "looks"]
    similarities = model.embed_texts([query.text for query in queries]).vectors @ pictures.T
    numbers = np.array([product.id for product in products])
    right = np.stack([np.isin(numbers, query.relevant) for query in queries])

    alike = differences(similarities, right, alternating(products))
    random = np.random.default_rng(0)
    chance = [
        each for _ in range(BY_CHANCE) for each in differences(similarities, right, random.random(len(products)) < 0.5)
    ]
    print(f"{len(products)} products, {len(queries)} queries, precisions {', '.join(map(str, WANTED))}")
    print(f"halves of the same make-up: mean difference {np.mean(alike):.4f}, at most {max(alike):.4f}")
    print(f"halves made by chance:      mean difference {np.mean(chance):.4f}, at most {max(chance):.4f}")


def alternating(products: list[Product]) -> NDArray[np.bool_]:
    """Of products that look alike, one goes here and the next there."""
    ordered = sorted(range(len(products)), key=lambda place: (sorted(products[place].attributes.items()), place))
    half = np.zeros(len(products), dtype=np.bool_)
    half[ordered[::2]] = True
    return half


def differences(similarities: NDArray[np.float32], right: NDArray[np.bool_], half: NDArray[np.bool_]) -> list[float]:
    found = []
    for chosen in (half, ~half):
        for wanted in WANTED:
            threshold = next(t for t in THRESHOLDS if precision(similarities, right, chosen, t) >= wanted)
            other = precision(similarities, right, ~chosen, threshold)
            found.append(abs(other - precision(similarities, right, chosen, threshold)))
    return found


def precision(
    similarities: NDArray[np.float32], right: NDArray[np.bool_], half: NDArray[np.bool_], threshold: float
) -> float:
    above = similarities[:, half] >= threshold
    return float((right[:, half] & above).sum() / max(1, above.sum()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PRODUCTS)
