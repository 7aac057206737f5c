"""One value of a row as people read it, as CSV has it, as JSON has it."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

FEW = 3
"""numbers of a vector that people are shown"""


def for_people(value: Any) -> Any:
    """Numbers stay numbers, so that they are aligned; long values are cut, and say how long they are."""
    if _is_array(value):
        numbers = [f"{number:.4f}" for number in value[:FEW].tolist()]
        return f"[{', '.join(numbers)}, … {len(value)} numbers]" if len(value) > FEW else f"[{', '.join(numbers)}]"
    if isinstance(value, bytes | bytearray | memoryview):
        begin = bytes(value[:8]).hex()
        return rf"\x{begin}… {len(value):,} bytes" if len(value) > 8 else rf"\x{begin}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list):
        return as_text(value)
    return value


def as_text(value: Any) -> str:
    """As PostgreSQL writes it; empty for NULL."""
    if value is None:
        return ""
    if _is_array(value):
        return "[" + ",".join(map(str, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray | memoryview):
        return rf"\x{bytes(value).hex()}"
    if isinstance(value, Mapping | list):
        import json

        return json.dumps(as_json(value), ensure_ascii=False)
    return str(value)


def as_json(value: Any) -> Any:
    """Something json.dumps knows. What JSON has no form for is text, as PostgreSQL's to_json has it."""
    if _is_array(value):
        return [as_json(float(str(number))) for number in value]  # the shortest decimals of a float32
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value).replace("inf", "Infinity").replace("nan", "NaN")
    if isinstance(value, Decimal):
        return as_json(int(value) if value.is_finite() and value == value.to_integral_value() else float(value))
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return as_text(value)


def _is_array(value: Any) -> bool:
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"
