"""Python variables that a statement may mention."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from thanopg.notebook.variables import split, statement_in_variable


def test_values_and_frames_and_nothing_else() -> None:
    frame = pd.DataFrame({"a": [1]})
    values, frames = split({"n": 5, "frame": frame, "_hidden": 1, "math": math, "print": print, "nothing": None})
    assert values == {"n": 5, "nothing": None}
    assert frames.keys() == {"frame"} and frames["frame"] is frame


def test_arrays_become_what_the_database_knows() -> None:
    values, _ = split({"k": np.int64(3), "x": np.array([1.0, 2.0]), "s": pd.Series(["a", "b"])})
    assert values == {"k": 3, "x": [1.0, 2.0], "s": ["a", "b"]}
    assert type(values["k"]) is int


def test_only_a_whole_statement_is_taken_from_a_variable() -> None:
    names = {"query": "SELECT 1", "n": 5}
    assert statement_in_variable(" $query ", names) == "SELECT 1"
    for statement in ("SELECT $query", "$n", "$unknown", "$query;", "SELECT 1"):
        assert statement_in_variable(statement, names) == statement
