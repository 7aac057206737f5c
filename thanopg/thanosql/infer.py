"""Columns of text → PostgreSQL types, without surprises: what would not come back as it was written stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from unicodedata import normalize

LARGEST_INTEGER = 2**63 - 1
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")  # 007 is a name
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]")
_DATE = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_TIMESTAMP = re.compile(_DATE.pattern + r"[ T][0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?")
_WITH_ZONE = re.compile(_TIMESTAMP.pattern + r" ?(?:Z|UTC|[-+](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)")
_TRUTHS = (frozenset({"true", "false"}), frozenset({"t", "f"}))
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def infer_type(values: Iterable[str | None]) -> str:
    """The narrowest type that all values fit in; None is NULL. A column without values is text."""
    there = [value for value in values if value is not None]
    if not there:
        return "text"
    if any({value.lower() for value in there} <= truths for truths in _TRUTHS):
        return "boolean"
    if all(_INTEGER.fullmatch(value) and abs(int(value)) <= LARGEST_INTEGER for value in there):
        return "bigint"
    if all(_NUMBER.fullmatch(value) and not _LEADING_ZERO.match(value) for value in there):
        return (
            "numeric"
            if any(value.lstrip("-+").isdigit() and len(value) > 18 for value in there)
            else "double precision"
        )
    for kind, pattern in (("date", _DATE), ("timestamp", _TIMESTAMP), ("timestamptz", _WITH_ZONE)):
        if all(pattern.fullmatch(value) and _is_day(value) for value in there):
            return kind
    return "text"


def _is_day(text: str) -> bool:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (
        year > 0
        and day <= (28 if month == 2 and not leap else _DAYS[month - 1])
        and (len(text) < 13 or text[11:13] < "24")
    )


def column_names(given: Sequence[str]) -> list[str]:
    """Lower case, letters, digits and underscores only, composed as keyboards type it, none twice, at most 63 bytes."""
    names: list[str] = []
    for number, text in enumerate(given, 1):
        name = re.sub(r"\W", "_", normalize("NFC", str(text)).strip().lower()) or f"column_{number}"
        if name[0].isdigit():
            name = f"_{name}"
        if name in SYSTEM_COLUMNS:
            name += "_"
        names.append(_another(_cut(name, 63), names))
    return names


SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


def _another(name: str, taken: Sequence[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = _cut(name, 58) + f"_{number}"
    return candidate


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")
