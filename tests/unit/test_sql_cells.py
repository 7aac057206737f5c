"""Values as people read them, as CSV and as JSON have them; rows on a terminal; scripts and their statements."""

from __future__ import annotations

import datetime
import io
import json
import uuid
from decimal import Decimal

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from thanopg.cli.sql.cells import as_json, as_text, for_people
from thanopg.cli.sql.drawn import draw_table, shortened
from thanopg.cli.sql.output import csv_of, json_of, readable
from thanopg.cli.sql.script import statements
from thanopg.thanosql.result import Table

VECTOR = np.array([0.1, -0.25, 0.3, 0.4], dtype=np.float32)
IDENTIFIER = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("value", "text", "in_json", "shown"),
    [
        (None, "", None, None),
        (True, "true", True, "true"),
        (3, "3", 3, 3),
        (0.5, "0.5", 0.5, 0.5),
        (float("nan"), "nan", "NaN", float("nan")),
        (Decimal("12"), "12", 12, Decimal("12")),
        (Decimal("0.25"), "0.25", 0.25, Decimal("0.25")),
        ("가 나", "가 나", "가 나", "가 나"),
        (VECTOR, "[0.1,-0.25,0.3,0.4]", [0.1, -0.25, 0.3, 0.4], "[0.1000, -0.2500, 0.3000, … 4 numbers]"),
        (b"\xff" * 3, r"\xffffff", r"\xffffff", r"\xffffff"),
        (b"\xff" * 9, r"\x" + "ff" * 9, r"\x" + "ff" * 9, r"\x" + "ff" * 8 + "… 9 bytes"),
        ({"a": [1, None]}, '{"a": [1, null]}', {"a": [1, None]}, '{"a": [1, null]}'),
        (datetime.date(2022, 8, 1), "2022-08-01", "2022-08-01", datetime.date(2022, 8, 1)),
        (IDENTIFIER, str(IDENTIFIER), str(IDENTIFIER), IDENTIFIER),
    ],
    ids=str,
)
def test_values(value: object, text: str, in_json: object, shown: object) -> None:
    assert as_text(value) == text
    assert as_json(value) == in_json
    assert str(for_people(value)) == str(shown)


def test_json_is_an_array_of_objects_whatever_the_names() -> None:
    table = Table(columns=("a", "a", "a_2"), rows=((1, "둘", None), (4, float("inf"), VECTOR)))
    assert json.loads(json_of(table)) == [
        {"a": 1, "a_3": "둘", "a_2": None},
        {"a": 4, "a_3": "Infinity", "a_2": [0.1, -0.25, 0.3, 0.4]},
    ]
    assert json.loads(json_of(Table(columns=("a",), rows=()))) == []


def test_csv_quotes_what_needs_it() -> None:
    table = Table(columns=("a", 'b"c'), rows=(("x,y", 'say "hi"\nthere'), (None, 1.5)))
    assert csv_of(table) == 'a,"b""c"\n"x,y","say ""hi""\nthere"\n,1.5\n'


def test_similarities_have_six_decimals() -> None:
    table = Table(columns=("m_clip_similarity1", "other"), rows=((0.3165664075, 0.3165664075), (None, None)))
    assert str(readable(table, table.rows)[0][0]) == "0.316566"
    assert readable(table, table.rows)[0][1] == 0.3165664075


def drawn(names: list[str], rows: list[tuple[object, ...]], width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(draw_table(names, rows, width=width))
    return console.export_text().splitlines()


def test_a_row_is_a_line_no_wider_than_the_terminal() -> None:
    rows: list[tuple[object, ...]] = [("한글 설명이 아주 깁니다 " * 5, "x" * 200, 0.25), ("짧다", "y", 12.5)]
    lines = drawn(["description", "path", "tutorial_search_clip_clipen_similarity1"], rows, 80)
    assert len(lines) == 3 and max(map(cell_len, lines)) <= 80
    assert lines[0].split()[-1].endswith("similarity1") and lines[1].rstrip().endswith("0.25")


def test_where_there_is_no_room_every_row_is_a_block() -> None:
    names = [f"column_{number}" for number in range(9)]
    lines = drawn(names, [tuple("word " * 5 for _ in names)], 40)
    assert lines[0] == "─ row 1 ─" and lines[1].startswith("column_0")


def test_long_names_keep_both_ends() -> None:
    assert shortened("tutorial_search_clip_clipen", 9) == "tuto…ipen"
    assert shortened("short", 9) == "short"


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;\n\nLIST MODEL ;", ["SELECT 1", "LIST MODEL"]),
        ("SELECT ';'; SELECT 2", ["SELECT ';'", "SELECT 2"]),
        (" ;; \n-- the end; really\n/* ; */", []),
        ("SELECT 1 -- one; two\n; -- ;\nSELECT $$;$$", ["SELECT 1 -- one; two", "-- ;\nSELECT $$;$$"]),
        (
            'SEARCH IMAGE text="it\'s; black" USING m; SELECT 1',
            ['SEARCH IMAGE text="it\'s; black" USING m', "SELECT 1"],
        ),
        ("SELECT 1; SELECT 'never closed; SELECT 1", ["SELECT 1", "SELECT 'never closed; SELECT 1"]),
    ],
)
def test_statements_of_a_script(script: str, found: list[str]) -> None:
    assert list(statements(script)) == found
