"""The user's Python variables, as a statement may mention them: `$name` as a value, a DataFrame as a source of COPY."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ONE_VARIABLE = re.compile(r"\s*\$([^\W\d]\w*)\s*")
ARRAYS = ("numpy", "pandas")


def split(namespace: Mapping[str, object]) -> tuple[dict[str, object], dict[str, pd.DataFrame]]:
    """Values for parameters, and frames. Modules, functions and names with an underscore in front are neither."""
    import pandas as pd

    values: dict[str, object] = {}
    frames: dict[str, pd.DataFrame] = {}
    for name, value in namespace.items():
        if name.startswith("_") or isinstance(value, ModuleType) or callable(value):
            continue
        if isinstance(value, pd.DataFrame):
            frames[name] = value
        else:
            values[name] = _plain(value)
    return values, frames


def statement_in_variable(statement: str, namespace: Mapping[str, object]) -> str:
    """`%thanosql $query` runs what the variable holds; every other statement is as it is written."""
    found = ONE_VARIABLE.fullmatch(statement)
    held = namespace.get(found[1]) if found else None
    return held if isinstance(held, str) else statement


def _plain(value: object) -> object:
    """Arrays and their scalars as Python's own lists and numbers, which the database knows."""
    if type(value).__module__.partition(".")[0] in ARRAYS and hasattr(value, "tolist"):
        return value.tolist()
    return value
