"""What COPY reads: csv, tsv, parquet, xlsx, folders of images, DataFrames, JSON records → typed columns and rows.

pandas, pyarrow and openpyxl are loaded when a source needs them.
"""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

from thanopg.errors import InvalidArgument
from thanopg.thanosql.infer import column_names, infer_type

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".mpo", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
SUPPORTED = "csv, tsv, parquet, xlsx, a folder of images, or a DataFrame: COPY t FROM $frame"
FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
"""composed and decomposed Hangul: what is typed and what a Mac, or an archive made on one, calls a file"""
_TEXT_FILE = re.compile(r"\.(csv|tsv|tab|txt)[0-9]*$", re.IGNORECASE)
_LONGEST_FIELD = 2**30


@dataclass(frozen=True)
class Data:
    """What becomes a table. Values are texts as PostgreSQL reads them for the column's type, or None."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Sequence[Sequence[str | None]]


def read_source(source: object, *, image_root: Path) -> Data:
    """A path, JSON records as text, or a DataFrame. Raises InvalidArgument."""
    if not isinstance(source, str | os.PathLike):
        return read_frame(source)
    text = os.fspath(source)
    if isinstance(source, str) and text.lstrip()[:1] == "[":
        return read_records(text)
    path = _find(text, image_root)
    if path.is_dir():
        return read_folder(path, image_root)
    suffix = path.suffix.lower()
    if _TEXT_FILE.search(path.name):
        return read_delimited(path)
    if suffix in (".parquet", ".pqt"):
        return read_parquet(path)
    if suffix in (".xlsx", ".xlsm"):
        return read_workbook(path)
    raise InvalidArgument(f"{path.name} is of no kind that COPY reads", hint=f"COPY reads {SUPPORTED}")


def _find(text: str, image_root: Path) -> Path:
    """Relative paths begin at the image root, else where the process is."""
    if "\0" in text or not text.strip():
        raise InvalidArgument("expected the path of a file or a folder")
    candidates = []
    for spelled in dict.fromkeys((text, *(normalize(form, text) for form in FORMS))):
        given = Path(spelled).expanduser()
        candidates += [given] if given.is_absolute() else [image_root / given, Path.cwd() / given]
    for path in candidates:
        if path.exists():
            return path
    given = Path(text).expanduser()
    looked = (
        "" if given.is_absolute() else f"neither in {(image_root / given).parent} nor {(Path.cwd() / given).parent}"
    )
    raise InvalidArgument(f"there is no file or folder {text!r}", hint=looked)


def read_delimited(path: Path) -> Data:
    """UTF-8 with a line of names; quotes as in csv. What is empty is NULL."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            tabs = first.count("\t") > first.count(",")
            csv.field_size_limit(_LONGEST_FIELD)
            reader = csv.reader(file, delimiter="\t" if tabs else ",", strict=True)
            header = next(reader, None)
            if not header:
                raise InvalidArgument(f"{path.name} is empty", hint="the first line names the columns")
            rows = [[value or None for value in _checked(row, header, reader.line_num, path)] for row in reader if row]
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"{path.name} is not UTF-8: byte {error.start}", hint="save it as UTF-8") from error
    except csv.Error as error:
        raise InvalidArgument(f"{path.name} can't be read as csv: {error}") from error
    return _of_texts(header, rows)


def _checked(row: list[str], header: list[str], line: int, path: Path) -> list[str]:
    if len(row) != len(header):
        raise InvalidArgument(f"line {line} of {path.name} has {len(row)} fields, expected {len(header)}")
    if any("\0" in value for value in row):
        raise InvalidArgument(f"line {line} of {path.name} has the sign with number 0 in it")
    return row


def _of_texts(header: Sequence[str], rows: list[list[str | None]]) -> Data:
    types = tuple(infer_type(row[number] for row in rows) for number in range(len(header)))
    return Data(tuple(column_names(header)), types, rows)


def read_parquet(path: Path) -> Data:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return read_frame(parquet.read_table(path).to_pandas(types_mapper=_nullable))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, OSError) as error:
        raise InvalidArgument(f"{path.name} can't be read as parquet") from error


def _nullable(kind: Any) -> Any:
    """Whole numbers with NULLs stay whole numbers."""
    import pandas as pd
    import pyarrow.types as types

    return pd.Int64Dtype() if types.is_integer(kind) else None


def read_workbook(path: Path) -> Data:
    """The first sheet."""
    import zipfile

    import openpyxl

    try:
        sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, IndexError) as error:
        raise InvalidArgument(f"{path.name} can't be read as xlsx") from error
    rows = [row for row in rows if any(value is not None for value in row)]
    if not rows:
        raise InvalidArgument(f"{path.name} is empty", hint="the first row names the columns")
    header = ["" if value is None else str(value) for value in rows[0]]
    return _of_values(header, rows[1:])


def read_records(text: str) -> Data:
    """`[{"a": 1, "b": "x"}, …]`"""
    try:
        records = json.loads(text)
    except ValueError as error:
        raise InvalidArgument(f"the JSON records can't be read: {error}") from error
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise InvalidArgument("expected JSON records: a list of objects")
    header = list(dict.fromkeys(key for record in records for key in record))
    return _of_values(header, [[record.get(key) for key in header] for record in records])


def read_frame(frame: Any) -> Data:
    """A pandas DataFrame; its index only if it has a name."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise InvalidArgument(
            f"expected a path or a DataFrame, not {type(frame).__name__}", hint=f"COPY reads {SUPPORTED}"
        )
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if not len(frame.columns):
        raise InvalidArgument("the DataFrame has no columns")
    columns = [frame.iloc[:, number].astype(object) for number in range(len(frame.columns))]
    lists = [column.where(column.notna(), None).tolist() for column in columns]
    rows = [list(row) for row in zip(*lists, strict=True)]
    return _of_values([str(name) for name in frame.columns], rows)


def read_folder(path: Path, image_root: Path) -> Data:
    """Every image below it, in the order of their names."""
    files = sorted(
        (Path(folder) / name for folder, _, names in os.walk(path) for name in names),
        key=lambda file: file.as_posix(),
    )
    rows: list[list[str | None]] = [
        [_below(file, image_root), file.name]
        for file in files
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")
    ]
    if not rows:
        raise InvalidArgument(f"there is no image in {path}", hint=f"images end in {', '.join(sorted(IMAGE_SUFFIXES))}")
    return Data(("image_path", "file_name"), ("text", "text"), rows)


def _below(file: Path, root: Path) -> str:
    """As a worker with this root will look for it."""
    below = os.path.relpath(file, root)  # links are not followed: the worker decides about them
    return str(file.absolute()) if below.startswith("..") else Path(below).as_posix()


# --- values of Python → text ---------------------------------------------------------------------------------------


def _of_values(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Data:
    listed = [list(row) + [None] * (len(header) - len(row)) for row in rows]
    types = tuple(_type_of(_values(listed, number)) for number in range(len(header)))
    texts = [[_text(value, kind) for value, kind in zip(row, types, strict=False)] for row in listed]
    return Data(tuple(column_names(header)), types, texts)


def _values(rows: Sequence[Sequence[Any]], number: int) -> Iterator[Any]:
    for row in rows:
        value = row[number]
        if value is not None and not (isinstance(value, float) and math.isnan(value)):
            yield value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


def _type_of(values: Iterator[Any]) -> str:
    kinds = {_kind(value) for value in values}
    if kinds == {"bigint", "double precision"} or kinds == {"bigint", "numeric"}:
        kinds.discard("bigint")
    if kinds == {"date", "timestamp"}:
        kinds.discard("date")
    return kinds.pop() if len(kinds) == 1 else "text" if not kinds or "jsonb" not in kinds else "jsonb"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "bigint" if -(2**63) <= value < 2**63 else "numeric"
    if isinstance(value, float):
        return "double precision"
    if isinstance(value, Decimal):
        return "numeric"
    if isinstance(value, datetime):
        return "timestamptz" if value.tzinfo else "timestamp"
    if isinstance(value, date):
        return "date"
    if isinstance(value, bytes | bytearray | memoryview):
        return "bytea"
    if getattr(value, "ndim", 0) == 1 and getattr(getattr(value, "dtype", None), "kind", "") == "f":
        return "real[]"
    return "jsonb" if isinstance(value, dict | list) else "text"


def _text(value: Any, kind: str) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if kind == "bytea":
        return "\\x" + bytes(value).hex()
    if kind == "real[]":
        return "{" + ",".join(repr(float(item)) for item in value) + "}"
    if kind == "jsonb":
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    text = str(value)
    if "\0" in text:
        raise InvalidArgument("a text has the sign with number 0 in it")
    return text
