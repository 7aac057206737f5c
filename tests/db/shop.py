"""A table with pictures, captions and names, in the database and in numpy, for tests of all methods of search."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import psycopg
from pgvector import Vector
from pgvector.psycopg import register_vector

from thanopg.models.fake import FakeEmbedder

DIMENSIONS = 16
ROWS = 300
COLOURS = ("빨간", "파란", "흰색")
GOODS = ("원피스", "부츠", "모자", "가방")


class Shop:
    """Table photo in numpy: image and caption vectors, names, and what each method thinks of a query."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        made = rng.standard_normal((2, ROWS, DIMENSIONS)).astype(np.float32)
        self.image, self.caption = made / np.linalg.norm(made, axis=2, keepdims=True)
        self.names = [f"{COLOURS[i % 3]} {GOODS[i % 4]} {i}호" for i in range(ROWS)]
        self.without_image = {i for i in range(ROWS) if i % 10 == 0}

    def similarities(self, method: str, query: str) -> dict[int, float]:
        vector = FakeEmbedder(DIMENSIONS).embed_texts([query]).vectors[0]
        matrix = self.image if method == "image" else self.caption
        left_out = self.without_image if method == "image" else set()
        return {i: float(matrix[i] @ vector) for i in range(ROWS) if i not in left_out}


def make_shop(connection: psycopg.Connection) -> Shop:
    """The service runs already."""
    shop = Shop()
    connection.execute(f"SELECT create_model('fake', source => 'fake:{DIMENSIONS}', base => 'base')")
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text, note text, name text, kind int)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("SELECT add_text_embedding('photo', 'note', 'fake', 'note_vector')")
    register_vector(connection)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO photo VALUES (%s, %s, 'x', %s, %s, %s, %s)",
            [
                (i, f"{i}.jpg", shop.names[i], i % 2, None if i in shop.without_image else Vector(shop.image[i]),
                 Vector(shop.caption[i]))
                for i in range(ROWS)
            ],
        )  # fmt: skip
    connection.execute("SELECT add_keyword_index('photo', ARRAY['name'])")
    connection.execute("ANALYZE photo")
    return shop


def search(
    connection: psycopg.Connection, query: str, *, k: int = 10, filter: str | None = None, **options: Any
) -> list[tuple[int, float | None, dict[str, Any]]]:
    rows = connection.execute(
        "SELECT key, similarity, detail FROM search_image(%s, 'fake', %s, filter => %s, options => %s)",
        (query, k, filter, json.dumps(options)),
    ).fetchall()
    return [(key["id"], similarity, detail) for key, similarity, detail in rows]
