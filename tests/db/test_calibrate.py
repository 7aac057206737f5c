"""Probabilities: read off a column's own rows, the same in another half of them, and a threshold for searches."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector

from tests.running_service import RunningService
from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 16
ROWS = 240
NOISE = 0.28
"""per dimension: pictures lie near their texts, and not on them"""


@pytest.fixture
def shop(connection: psycopg.Connection, service: RunningService) -> None:
    """Table photo, whose pictures lie near the vectors of their names; eight rows of each of thirty names."""
    connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, name text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    register_vector(connection)
    names = [f"이름 {i % 30}" for i in range(ROWS)]
    made = FakeEmbedder(DIMENSIONS).embed_texts(names).vectors
    made = made + NOISE * np.random.default_rng(3).standard_normal(made.shape).astype(np.float32)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO photo VALUES (%s, %s, %s, %s)",
            [(i, f"{i}.jpg", names[i], Vector(made[i])) for i in range(ROWS)],
        )


def search(connection: psycopg.Connection, query: str, k: int = ROWS, **options: Any) -> list[tuple[int, float, float]]:
    rows = connection.execute(
        "SELECT key, similarity, detail FROM search_image(%s, 'fake', %s, options => %s)",
        (query, k, json.dumps(options)),
    )
    return [(key["id"], similarity, detail["probability"]) for key, similarity, detail in rows.fetchall()]


def calibrate(connection: psycopg.Connection, **more: Any) -> tuple[Any, ...]:
    arguments = "".join(f", {name} => {value}" for name, value in more.items())
    row = connection.execute(
        f"SELECT * FROM calibrate('photo', 'fake_base', text_column => 'name'{arguments})"
    ).fetchone()
    assert row is not None
    return row


def test_probability_follows_similarity(connection: psycopg.Connection, shop: None) -> None:
    count, fitting, others, even = calibrate(connection, sample=100)
    assert count == 100 and fitting > even > others and fitting > 0.5 > abs(others)
    rows = search(connection, "이름 3")
    assert [p for _, _, p in rows] == sorted((p for _, _, p in rows), reverse=True)
    assert rows[0][2] > 0.9 and rows[-1][2] < 0.1
    slope, intercept = connection.execute("SELECT slope, intercept FROM thanopg.calibration").fetchone()  # type: ignore[misc]
    for _, similarity, probability in rows[::40]:
        assert probability == pytest.approx(1 / (1 + math.exp(-(slope * similarity + intercept))), abs=2e-4)
    assert calibrate(connection, sample=100) == (count, fitting, others, even)  # no chance in it
    connection.execute("SELECT drop_embedding('photo', 'fake_base')")
    assert connection.execute("SELECT count(*) FROM thanopg.calibration").fetchone() == (0,)


def test_a_threshold_keeps_its_precision_on_the_other_half(connection: psycopg.Connection, shop: None) -> None:
    calibrate(connection)
    judged: dict[int, list[tuple[float, bool]]] = {0: [], 1: []}
    for name in range(30):
        for row, _, probability in search(connection, f"이름 {name}"):
            judged[row // 30 % 2].append((probability, row % 30 == name))

    def precision(half: int, threshold: float) -> float:
        right = [fits for probability, fits in judged[half] if probability >= threshold]
        return sum(right) / len(right)

    threshold = next(t / 100 for t in range(1, 100) if precision(0, t / 100) >= 0.9)
    assert abs(precision(0, threshold) - precision(1, threshold)) < 0.03
    (count,) = connection.execute(
        "SELECT count(*) FROM search_image('이름 3', 'fake', 1000, options => %s)",
        (json.dumps({"min_probability": threshold}),),
    ).fetchone()  # type: ignore[misc]
    assert count == sum(probability >= threshold for _, _, probability in search(connection, "이름 3"))


def test_min_probability(connection: psycopg.Connection, shop: None) -> None:
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="not calibrated") as caught:
        search(connection, "이름 3", min_probability=0.5)
    assert "calibrate('photo', 'fake_base')" in (caught.value.diag.message_hint or "")
    calibrate(connection)
    rows = search(connection, "이름 3")
    enough = [row for row in rows if row[2] >= 0.5]
    assert 0 < len(enough) < ROWS
    assert search(connection, "이름 3", min_probability=0.5) == enough
    assert search(connection, "이름 3", k=2, min_probability=0.5) == enough[:2]
    assert search(connection, "이름 3", min_probability=0) == rows
    assert search(connection, "이름 3", min_probability=1) == []
    connection.execute("SELECT add_keyword_index('photo', ARRAY['name'])")
    hybrid = search(connection, "이름 3", min_probability=0.5, method="hybrid")
    assert {row for row, _, _ in hybrid} == {row for row, _, _ in enough}
    for method in ("image", "hybrid"):
        (statement,) = connection.execute(  # type: ignore[misc]
            "SELECT search_sql('이름 3', 'fake', 500, options => %s)",
            (json.dumps({"min_probability": 0.5, "method": method}),),
        ).fetchone()
        assert len(connection.execute(statement).fetchall()) == len(enough)
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        search(connection, "이름 3", min_probability=0.5, method="keyword")


def test_what_can_not_be_calibrated(connection: psycopg.Connection, shop: None) -> None:
    def refused(arguments: str, sqlstate: str) -> str:
        with pytest.raises(psycopg.Error) as error:
            connection.execute(f"SELECT calibrate({arguments})")
        assert error.value.sqlstate == sqlstate
        return str(error.value.diag.message_hint)

    assert "text_column" in refused("'photo', 'fake_base'", "42703")
    assert "its columns" in refused("'photo', 'fake_base', 'nope'", "42703")
    refused("'photo', 'fake_base', 'id'", "42804")
    refused("'photo', 'fake_base', 'name', 5", "22023")
    refused("'photo', 'nope', 'name'", "42703")
    refused("'photo', NULL", "22004")
    refused("NULL, 'fake_base'", "22004")
    connection.execute("SELECT add_text_embedding('photo', 'name', 'fake', 'name_vector')")
    assert "another" in refused("'photo', 'name_vector', 'name'", "22023")
    connection.execute("UPDATE photo SET name = id::text")
    assert "says what the row shows" in refused("'photo', 'fake_base', 'name'", "22000")
    connection.execute("DELETE FROM photo WHERE id > 10")
    assert "embedding_status" in refused("'photo', 'fake_base', 'name'", "55000")
