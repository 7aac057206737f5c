"""Options of a search that mean nothing are refused, with an example of what would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from tests.db.shop import Shop, search

REFUSED: Sequence[tuple[dict[str, Any], str]] = [
    ({"method": "photo"}, "method"),
    ({"method": None}, "method"),
    ({"method": 1}, "method"),
    ({"fusion": "sum"}, "fusion"),
    ({"candidates": 0}, "candidates"),
    ({"candidates": "many"}, "candidates"),
    ({"weights": {"image": 1, "colour": 2}}, "weights"),
    ({"weights": {"image": -1}}, "weights"),
    ({"weights": {"image": 0}}, "weights"),
    ({"weights": [1, 2]}, "weights"),
    ({"caption_column": 3}, "caption_column"),
    ({"exact": "yes"}, "exact"),
    ({"ef_search": 0}, "ef_search"),
    ({"min_probability": 2}, "min_probability"),
    ({"template": "a photo"}, "template"),
    ({"template": []}, "template"),
    ({"plus": "red"}, "plus"),
    ({"plus": []}, "plus"),
    ({"plus": [" "]}, "plus"),
    ({"plus": [{"text": "x", "image": "y"}]}, "plus"),
    ({"plus": [{"text": "x", "weight": "much"}]}, "plus"),
    ({"minus": [{"weight": 1}]}, "minus"),
    ({"minus": [{"text": "x", "colour": 1}]}, "minus"),
    ({"like": ["a"]}, "like"),
    ({"unlike": [{}]}, "unlike"),
    ({"unlike": [{"key": {"id": 1}, "weight": -1}]}, "unlike"),
    ({"nope": 1}, "nope"),
]


def test_options_that_mean_nothing(connection: psycopg.Connection, shop: Shop) -> None:
    for options, named in REFUSED:
        with pytest.raises(psycopg.errors.InvalidParameterValue) as caught:
            search(connection, "x", **options)
        assert named in str(caught.value.diag.message_primary), options
        assert caught.value.diag.message_hint and "%" not in caught.value.diag.message_hint, options
