"""Queries with the keys of all rows that answer them, from a csv or from a table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import sql

from thanopg.database.connect import Connection
from thanopg.errors import InvalidArgument

NEEDED = ("query", "relevant")
OPTIONAL = ("language", "kind")


@dataclass(frozen=True, kw_only=True)
class Judgement:
    query: str
    relevant: frozenset[str]
    """keys, as `key_text` writes them"""
    language: str
    """empty where nothing is said"""
    kind: str


def key_text(key: Mapping[str, Any], names: Sequence[str]) -> str:
    """One text for a row's key, whether it came from SQL or from a file."""
    return json.dumps([str(key[name]) for name in names], ensure_ascii=False)


def read_csv(path: Path, names: Sequence[str]) -> list[Judgement]:
    """Columns query, relevant, and perhaps language and kind. `relevant` is a JSON array of keys, or keys with spaces
    between them. Raises InvalidArgument, OSError.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _judgements(csv.DictReader(file), names, str(path))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidArgument(f"{path} can't be read as csv: {error}", hint="save it as csv in UTF-8") from error


def read_table(connection: Connection, table: str, names: Sequence[str]) -> list[Judgement]:
    """The same columns; `relevant` may be an array, jsonb or text. Raises InvalidArgument."""
    row = connection.execute("SELECT to_regclass(%s)::text", [table]).fetchone()
    assert row is not None
    if row[0] is None:
        raise InvalidArgument(
            f"{table} is neither a file nor a table", hint="name a csv, or a table, with the columns query and relevant"
        )
    statement = sql.SQL("SELECT to_jsonb(q) FROM {} q").format(sql.SQL(row[0]))  # regclass has quoted it
    return _judgements((found for (found,) in connection.execute(statement)), names, table)


def _judgements(rows: Iterable[Mapping[str, Any]], names: Sequence[str], where: str) -> list[Judgement]:
    judgements = []
    for number, row in enumerate(rows, 1):
        missing = [name for name in NEEDED if row.get(name) is None]
        if missing:
            raise InvalidArgument(
                f"{where}, query {number}: expected a column {missing[0]}",
                hint=f"columns: {', '.join(NEEDED)}, and if you like {', '.join(OPTIONAL)}",
            )
        judgements.append(
            Judgement(
                query=str(row["query"]),
                relevant=frozenset(_keys(row["relevant"], names, f"{where}, query {number}")),
                language=str(row.get("language") or ""),
                kind=str(row.get("kind") or ""),
            )
        )
    if not judgements:
        raise InvalidArgument(f"{where} has no queries")
    return judgements


def _keys(value: Any, names: Sequence[str], where: str) -> list[str]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split()
        except json.JSONDecodeError as error:
            raise InvalidArgument(f"{where}: {value!r} is no JSON array") from error
    if not isinstance(value, list):
        value = [value]
    keys = []
    for key in value:
        if isinstance(key, Mapping):
            if any(name not in key for name in names):
                raise InvalidArgument(f"{where}: expected keys with {', '.join(names)}, not {json.dumps(key)}")
            keys.append(key_text(key, names))
        elif len(names) == 1:
            keys.append(key_text({names[0]: key}, names))
        else:
            raise InvalidArgument(
                f"{where}: expected keys with {', '.join(names)}, not {key!r}",
                hint="a key of several columns is an object, in a JSON array",
            )
    return keys
