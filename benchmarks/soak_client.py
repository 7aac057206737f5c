"""A shop that is open: rows come, change and go, and people search, each time with other words.

Every picture and nearly every text is new, so that whatever remembers the last ones fills up and has to forget.
"""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import psycopg
from PIL import Image

from benchmarks.photographs import SIZES, write_photographs
from thanopg.catalog.catalogue import write_catalogue
from thanopg.catalog.product import Product
from thanopg.database.connect import Connection, connect

DRAWN = 60
LARGE_EVERY = 40
"""a photograph among drawn pictures"""
CAPTION_EVERY = 8
DAMAGED_EVERY = 25
CHANGED_EVERY = 3
IMAGE_QUERY_EVERY = 10
LONG_EVERY = 4
LONGEST_TEXT = 16_000
SESSION_TURNS = 300
"""then people come with a connection of their own, and so does what it opens to the service"""
LOOK_TURNS = 150
DELIVERY_TURNS = 6000
DELIVERY = 500
"""rows that come at once, now and then"""
KEPT = 5000
"""rows; the oldest are deleted"""
SYLLABLES = 11_172
"""of Hangul"""
TABLES = """
    CREATE TABLE article (id bigint PRIMARY KEY, image_path text, description text, price int);
    SELECT add_image_embedding('article', 'image_path', 'catalog', column_name => 'seen');
    SELECT add_text_embedding('article', 'description', 'catalog', column_name => 'told');
    CREATE TABLE look (id bigint PRIMARY KEY, image bytea);
    SELECT add_caption('look', 'image', 'catalog', language => 'ko', attributes_column => 'attributes');
"""
SEARCH = "SELECT key, similarity FROM search_image(%s::text, 'catalog', 5, target => 'article', column_name => 'seen')"


class Shop:
    """Works on a database of its own, with pictures below `root`, and opens with `stock` rows."""

    def __init__(self, url: str, root: Path, *, stock: int) -> None:
        self._url = url
        self._root = root
        self._random = random.Random(8)
        self._pictures, self._products = _pictures(root)
        self._connection = self._open()
        self._connection.execute(TABLES.encode())
        self._there: deque[tuple[int, Path]] = deque()
        self._turns = 0
        self.rows = 0
        self.searches = 0
        self.unanswered = 0
        self.refused = 0
        """queries by what is no picture"""
        for _ in range(stock):
            self._insert()

    def close(self) -> None:
        self._connection.close()

    def turn(self, *, closed: bool) -> None:
        """A tenth of a second in the life of the shop; while it is closed people search all the same."""
        self._turns += 1
        if self._turns % SESSION_TURNS == 0:
            self._connection.close()
            self._connection = self._open()
        self._search()
        if closed:
            return
        for _ in range(1 if self._turns % DELIVERY_TURNS else DELIVERY):
            self._insert()
        if self._turns % CHANGED_EVERY == 0:
            self._change()
        while len(self._there) > KEPT:
            number, path = self._there.popleft()
            self._connection.execute("DELETE FROM article WHERE id = %s", (number,))
            path.unlink(missing_ok=True)
        if self._turns % LOOK_TURNS == 0:
            self._connection.execute("SELECT * FROM embedding_status")
            self._connection.execute("SELECT retry()")
            self._connection.execute("SELECT refresh('article', 'seen', 'id % 100 = 7')")

    def pending(self) -> int:
        """Rows that nobody has tried yet."""
        rows = self._connection.execute("SELECT coalesce(sum(thanopg.count_untried(id)), 0) FROM thanopg.embedding")
        return int(rows.fetchall()[0][0])

    def done(self) -> tuple[int, int]:
        """Vectors of pictures that are there, and failures."""
        statement = "SELECT (SELECT count(seen) FROM article), (SELECT count(*) FROM thanopg.failure)"
        ((embedded, failed),) = self._connection.execute(statement.encode()).fetchall()
        return int(embedded), int(failed)

    def _open(self) -> Connection:
        return connect(self._url, application_name="soak", autocommit=True)

    def _insert(self) -> None:
        self.rows += 1
        path = self._write(self.rows)
        self._connection.execute(
            "INSERT INTO article VALUES (%s, %s, %s, %s)",
            (self.rows, str(path.relative_to(self._root)), self._text(), self._random.randrange(1000)),
        )
        self._there.append((self.rows, path))
        if self.rows % CAPTION_EVERY == 0:
            self._connection.execute("INSERT INTO look VALUES (%s, %s)", (self.rows, self._picture()))
            self._connection.execute("DELETE FROM look WHERE id <= %s", (self.rows - KEPT,))

    def _change(self) -> None:
        number, _ = self._random.choice(self._there)
        other, path = self._random.choice(self._there)
        self._connection.execute("UPDATE article SET price = price + 1 WHERE id = %s", (number,))
        self._connection.execute("UPDATE article SET description = %s WHERE id = %s", (self._text(), number))
        self._connection.execute(
            "UPDATE article SET image_path = %s WHERE id = %s", (str(path.relative_to(self._root)), number)
        )
        path.write_bytes(self._picture())  # under the same path: refresh finds it
        self._connection.execute("UPDATE article SET id = -id WHERE id = %s", (other,))
        self._connection.execute("UPDATE article SET id = -id WHERE id = %s", (-other,))

    def _search(self) -> None:
        self.searches += 1
        text = self._text() if self._turns % 7 else "빨간 원피스"
        try:
            self._connection.execute(SEARCH, (text,))
        except psycopg.errors.QueryCanceled:  # the service's own limit: other programs had the machine
            self.unanswered += 1
        if self._turns % IMAGE_QUERY_EVERY:
            return
        picture = self._picture()
        with contextlib.suppress(IndexError):
            self._connection.execute(SEARCH.replace("text", "bytea"), (picture,))
        for wrong in (b"no picture", picture[: len(picture) // 2]):
            try:
                self._connection.execute("SELECT embed_image(%s, 'catalog')", (wrong,))
            except psycopg.Error:
                self.refused += 1

    def _write(self, number: int) -> Path:
        """A file of its own content; some of them are damaged, and some are not there."""
        data = self._picture()
        suffix = ".png" if data[:1] == b"\x89" else ".jpg"
        path = self._root / "사진" / f"{number:07} 새 상품{suffix}"
        match self._random.randrange(4 * DAMAGED_EVERY):
            case 0:
                return path
            case 1:
                data = data[: len(data) // 2]
            case 2:
                data = "그림이 아니다".encode()
            case 3:
                data = b""
        path.write_bytes(data)
        return path

    def _picture(self) -> bytes:
        return _told_apart(
            self._pictures[-1] if self._random.randrange(LARGE_EVERY) == 0 else self._random.choice(self._pictures),
            self._random.randbytes(16),
        )

    def _text(self) -> str:
        """Of a product, with a word that nobody has used; some go on and on."""
        product = self._random.choice(self._products)
        word = "".join(chr(ord("가") + self._random.randrange(SYLLABLES)) for _ in range(6))
        said = f"{word} {self._random.choice((product.caption_ko, product.caption_en, product.name))}"
        if self._random.randrange(LONG_EVERY):
            return said
        return (f"{said}. {product.description} " * 200)[: self._random.randrange(LONGEST_TEXT)] or said


def _pictures(root: Path) -> tuple[list[bytes], Sequence[Product]]:
    """JPEG and PNG files, the last one that of a photograph, and the products."""
    (root / "사진").mkdir(parents=True)
    products = write_catalogue(root, DRAWN, 8, processes=1)
    pictures = [(root / product.image_path).read_bytes() for product in products]
    for number in range(0, DRAWN, 5):
        png = io.BytesIO()
        Image.open(io.BytesIO(pictures[number])).save(png, "PNG")
        pictures[number] = png.getvalue()
    (photograph,) = write_photographs(root / "photographs", SIZES["1080p"], 1)
    return [*pictures, photograph.read_bytes()], products


def _told_apart(picture: bytes, by: bytes) -> bytes:
    """The same picture in a file of its own content: with a comment, which every decoder skips."""
    if picture.startswith(b"\xff\xd8"):
        return picture[:2] + b"\xff\xfe" + struct.pack("!H", len(by) + 2) + by + picture[2:]
    chunk = b"tEXtComment\0" + by.hex().encode()
    header = 8 + 4 + 4 + 13 + 4
    size, check = struct.pack("!I", len(chunk) - 4), struct.pack("!I", zlib.crc32(chunk))
    return picture[:header] + size + chunk + check + picture[header:]
