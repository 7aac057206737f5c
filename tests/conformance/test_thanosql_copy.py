"""COPY: every kind of source, sane types, a key for every table, and all or nothing."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from tests.conformance.conftest import PHOTOS, draw
from thanopg.errors import StatementRefused, SyntaxNotUnderstood
from thanopg.thanosql.result import Message, Table
from thanopg.thanosql.session import Session

UNSPLASH_HEADER = (
    *(
        "photo_id",
        "photo_url",
        "photo_image_url",
        "photo_submitted_at",
        "photo_featured",
        "photo_width",
        "photo_height",
    ),
    *("photo_aspect_ratio", "photo_description", "photographer_username", "photographer_first_name"),
    *("photographer_last_name", "exif_camera_make", "exif_camera_model", "exif_iso", "exif_aperture_value"),
    *("exif_focal_length", "exif_exposure_time", "photo_location_name", "photo_location_latitude"),
    *("photo_location_longitude", "photo_location_country", "photo_location_city", "stats_views", "stats_downloads"),
    *("ai_description", "ai_primary_landmark_name", "ai_primary_landmark_latitude", "ai_primary_landmark_longitude"),
    *("ai_primary_landmark_confidence", "blur_hash"),
)


def types(connection: psycopg.Connection, table: str) -> dict[str, str]:
    rows = connection.execute(
        "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    return dict(rows.fetchall())  # type: ignore[arg-type]


def key(connection: psycopg.Connection, table: str) -> list[str]:
    return [
        name
        for (name,) in connection.execute(
            "SELECT a.attname::text FROM pg_index i "
            "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) "
            "WHERE i.indrelid = %s::regclass AND i.indisprimary",
            (table,),
        ).fetchall()
    ]


def rows(session: Session, statement: str) -> list[tuple[object, ...]]:
    result = session.run(statement)
    assert isinstance(result, Table)
    return list(result.rows)


def test_types_of_a_csv_file(session: Session, connection: psycopg.Connection, root: Path) -> None:
    (root / "a.csv").write_text(
        "﻿Name,Zip Code,count,price,sold,day,at,when,big,mixed,empty,코드\r\n"
        "a,007,1,1.5,true,2024-02-29,2024-01-01 10:00:00,2024-01-01T10:00:00Z,12345678901234567890,1,,가\r\n"
        '"b, ""x""",01234,-2,1e3,FALSE,2023-12-31,2024-01-01 10:00,2024-01-01 10:00:00+09:00,1,2024-02-30,,나\r\n'
        "c,99999,,,,,,,,3,,\r\n",
        encoding="utf-8",
    )
    result = session.run("COPY a FROM 'a.csv'")
    assert isinstance(result, Message)
    assert result.status == "COPY 3"
    assert types(connection, "a") == {
        "name": "text",
        "zip_code": "text",
        "count": "bigint",
        "price": "double precision",
        "sold": "boolean",
        "day": "date",
        "at": "timestamp without time zone",
        "when": "timestamp with time zone",
        "big": "numeric",
        "mixed": "text",
        "empty": "text",
        "코드": "text",
    }
    assert key(connection, "a") == ["name"]
    assert rows(session, "SELECT name, zip_code, count, price, sold, day, big FROM a ORDER BY name")[:2] == [
        ("a", "007", 1, 1.5, True, date(2024, 2, 29), Decimal("12345678901234567890")),
        ('b, "x"', "01234", -2, 1000.0, False, date(2023, 12, 31), Decimal(1)),
    ]


def test_unsplash_lite_as_it_is_published(session: Session, connection: psycopg.Connection, root: Path) -> None:
    with (root / "photos.tsv000").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(UNSPLASH_HEADER)
        for n in range(20):
            values: dict[str, object] = {
                "photo_id": f"XMyPniM9LF{n}",
                "photo_submitted_at": f"2014-09-29 09:53:{n:02}.990129",
                "photo_featured": "t",
                "photo_width": 4272 + n,
                "photo_aspect_ratio": 1.5,
                "photo_description": 'Woman, with "quotes"\nand a line' if n == 3 else None,
                "exif_iso": None if n % 2 else 200,
                "photo_location_latitude": 45.25 if n % 2 else None,
                "stats_views": 2375421,
            }
            writer.writerow([values.get(name, f"{name} {n}") for name in UNSPLASH_HEADER])
    session.run("COPY photos FROM 'photos.tsv000'")
    found = types(connection, "photos")
    assert list(found) == list(UNSPLASH_HEADER)
    assert found["photo_submitted_at"] == "timestamp without time zone"
    assert found["photo_featured"] == "boolean"
    assert found["exif_iso"] == found["stats_views"] == "bigint"
    assert found["photo_location_latitude"] == "double precision"
    assert key(connection, "photos") == ["photo_id"]
    assert rows(session, "SELECT photo_description FROM photos WHERE photo_id = 'XMyPniM9LF3'") == [
        ('Woman, with "quotes"\nand a line',)
    ]


def test_keys(session: Session, connection: psycopg.Connection, root: Path) -> None:
    (root / "second.csv").write_text("kind,price,code\na,1.5,x\na,2.5,y\n")
    session.run("COPY second FROM 'second.csv'")
    assert key(connection, "second") == ["code"]  # a number with a point names no row
    (root / "none.csv").write_text("id,kind\n1,a\n1,b\n,b\n")
    result = session.run("COPY no_key FROM 'none.csv'")
    assert key(connection, "no_key") == ["row_id"]
    assert result.notes[0] == "no column of no_key is unique and filled everywhere: key column row_id was added"
    (root / "long.csv").write_text("text\n" + "x" * 9000 + "\n" + "y" * 9000 + "\n")
    session.run("COPY long_text FROM 'long.csv'")
    assert len(key(connection, "long_text")) == 1


def test_parquet_xlsx_json_and_data_frames(session: Session, connection: psycopg.Connection, root: Path) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2],
            "Name": ["가", None],
            "n": pd.array([5, None], dtype="Int64"),
            "x": [0.5, float("nan")],
            "ok": [True, False],
            "at": pd.to_datetime(["2024-01-01 10:00", None]),
            "v": [np.array([1, 2], np.float32), np.array([3, 4], np.float32)],
            "d": [{"a": 1}, [1, "b"]],
        }
    )
    session.run("COPY framed FROM $frame", frames={"frame": frame})
    assert types(connection, "framed") == {
        "id": "bigint",
        "name": "text",
        "n": "bigint",
        "x": "double precision",
        "ok": "boolean",
        "at": "timestamp without time zone",
        "v": "real[]",
        "d": "jsonb",
    }
    assert rows(session, "SELECT id, name, n, x, ok, at, v, d FROM framed ORDER BY id") == [
        (1, "가", 5, 0.5, True, datetime(2024, 1, 1, 10), [1, 2], {"a": 1}),
        (2, None, None, None, False, None, [3, 4], [1, "b"]),
    ]
    simple = frame[["id", "Name", "n", "at"]]
    simple.to_parquet(root / "p.parquet")
    simple.to_excel(root / "x.xlsx", index=False)
    expected = rows(session, "SELECT id, name, n, at FROM framed ORDER BY id")
    session.run("COPY p FROM 'p.parquet'")
    assert rows(session, "SELECT id, name, n, at FROM p ORDER BY id") == expected
    session.run("COPY x FROM 'x.xlsx'")
    assert rows(session, "SELECT id, name, n, at FROM x ORDER BY id") == expected
    session.run("COPY j FROM $records", parameters={"records": json.dumps([{"a": 1, "b": "x;"}, {"a": 2}])})
    assert rows(session, "SELECT a, b FROM j ORDER BY a") == [(1, "x;"), (2, None)]


def test_a_folder_of_images(session: Session, connection: psycopg.Connection, root: Path) -> None:
    folder = root / "사진" / "deep"
    folder.mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", ".hidden.png"):
        draw(folder / name, 1)
    (folder / "notes.txt").write_text("no picture")
    session.run("COPY pictures FROM '사진'")
    assert rows(session, "SELECT image_path, file_name FROM pictures ORDER BY 1") == [
        ("사진/deep/a.jpg", "a.jpg"),
        ("사진/deep/b.PNG", "b.PNG"),
    ]
    assert key(connection, "pictures") == ["image_path"]


def test_an_existing_table(session: Session, connection: psycopg.Connection, root: Path) -> None:
    csv_path = "tutorial_data/unsplash_data/unsplash.csv"
    session.run(f"COPY t FROM '{csv_path}'")
    with pytest.raises(SyntaxNotUnderstood, match="table t exists") as raised:
        session.run(f"COPY t FROM '{csv_path}'")
    assert "overwrite=True" in raised.value.hint
    (root / "more.csv").write_text("photo_id,image_path\nnew,new.png\n")
    session.run("COPY t OPTIONS(if_exists='append') FROM 'more.csv'")
    assert rows(session, "SELECT count(*) FROM t") == [(PHOTOS + 1,)]
    (root / "other.csv").write_text("photo_id,colour\nx,red\n")
    with pytest.raises(SyntaxNotUnderstood, match="has no column colour"):
        session.run("COPY t OPTIONS(if_exists='append') FROM 'other.csv'")
    with pytest.raises(StatementRefused, match="duplicate key"):
        session.run("COPY t OPTIONS(if_exists='append') FROM 'more.csv'")
    session.run("COPY t OPTIONS(overwrite=True) FROM 'other.csv'")
    assert list(types(connection, "t")) == ["photo_id", "colour"]


def test_what_fails_half_way_leaves_nothing(session: Session, connection: psycopg.Connection, root: Path) -> None:
    (root / "good.csv").write_text("id\n1\n")
    session.run("COPY t FROM 'good.csv'")
    session.run("CREATE VIEW seen AS SELECT * FROM t")
    with pytest.raises(StatementRefused) as raised:
        session.run("COPY t OPTIONS(overwrite=True) FROM 'good.csv'")
    assert raised.value.sqlstate == "2BP01"  # a view depends on it: the rows were copied already
    for name, content in {
        "ragged.csv": b"a,b\n1,2\n3\n",
        "latin.csv": "a\nä\n".encode("latin-1"),
        "empty.csv": b"",
        "quote.csv": b'a\n"open\n',
        "table.pickle": b"x",
        "not.parquet": b"x",
        "not.xlsx": b"x",
        "zero.csv": b"a\nx\0y\n",
    }.items():
        (root / name).write_bytes(content)
        for table in ("t", "fresh"):
            with pytest.raises(SyntaxNotUnderstood) as failed:
                session.run(f"COPY {table} OPTIONS(overwrite=True) FROM '{name}'")
            assert failed.value.offset == len(f"COPY {table} OPTIONS(overwrite=True) FROM ")
    assert rows(session, "SELECT * FROM t") == [(1,)]
    assert connection.execute("SELECT relname FROM pg_class WHERE relname ~ 'fresh|thanosql_'").fetchall() == []


def test_names_are_names_only(session: Session, root: Path) -> None:
    (root / "evil.csv").write_text('"a""; DROP TABLE t; --",A,a,1st,ctid,\n1,2,3,4,5,6\n')
    session.run('COPY "x""; DROP TABLE y; --" FROM \'evil.csv\'')
    result = session.run('SELECT * FROM "x""; drop table y; --"')
    assert isinstance(result, Table)
    assert result.columns == ("a___drop_table_t____", "a", "a_2", "_1st", "ctid_", "column_6")
