"""pg_dump and pg_restore into a fresh cluster, and on with the work: nothing is embedded twice, nothing forgotten."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from tests.databases import Database
from tests.db.conftest import DIMENSIONS
from tests.working import picture_uri, vector, work_off
from thanopg.database.connect import connect
from thanopg.database.install import install_embedded
from thanopg.database.server import EmbeddedServer
from thanopg.models.fake import FakeEmbedder

SECONDS = 120
ROWS = 6
CREATE = """
CREATE TABLE photo (gone int, also_gone text, id int, part text, image_path text, note text, PRIMARY KEY (part, id));
ALTER TABLE photo DROP COLUMN gone;
ALTER TABLE photo DROP COLUMN also_gone;
CREATE SCHEMA "Odd ""place";
CREATE TABLE "Odd ""place"."Weird, table" (gone int, "Key" bigint, image_path text, PRIMARY KEY ("Key"))
  PARTITION BY HASH ("Key");
CREATE TABLE part_0
  PARTITION OF "Odd ""place"."Weird, table" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1
  PARTITION OF "Odd ""place"."Weird, table" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
ALTER TABLE "Odd ""place"."Weird, table" DROP COLUMN gone;
SELECT add_image_embedding('photo', 'image_path', 'fake');
SELECT add_caption('photo', 'image_path', 'words', attributes_column => '속성');
SELECT add_text_embedding('photo', 'caption', 'fake', column_name => 'caption_vector');
SELECT add_image_embedding('"Odd ""place"."Weird, table"', 'image_path', 'fake', type => 'halfvec');
"""


@pytest.fixture
def fresh(home: Path) -> Iterator[EmbeddedServer]:
    """Another cluster."""
    server = EmbeddedServer(home, fast=True)
    server.start()
    yield server
    server.stop()


def move(server: EmbeddedServer, database: Database, fresh: EmbeddedServer, file: Path) -> None:
    """As the manual says: roles first, then the database."""
    roles = _run(server, "pg_dumpall", "--roles-only", "--no-role-passwords", f"--dbname={database.superuser_url}")
    with connect(fresh.superuser_url, autocommit=True) as connection:
        there = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
        for line in roles.splitlines():
            if line.startswith(("CREATE ROLE", "GRANT")) and line.split()[2].strip('";') not in there:
                connection.execute(line.encode())
    _run(server, "pg_dump", "--format=custom", f"--file={file}", database.superuser_url)
    _run(fresh, "pg_restore", "--exit-on-error", f"--dbname={fresh.superuser_url}", str(file))


def _run(server: EmbeddedServer, program: str, *arguments: str) -> str:
    done = subprocess.run([server.bin(program), *arguments], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(connection: psycopg.Connection, table: str, key: str) -> dict[int, list[float] | None]:
    rows = connection.execute(f"SELECT {key}, fake_fake::vector::real[] FROM {table}".encode()).fetchall()
    return {n: None if value is None else np.float32(value).tolist() for n, value in rows}


def test_restored_into_a_fresh_cluster(
    connection: psycopg.Connection,
    database: Database,
    server: EmbeddedServer,
    model: FakeEmbedder,
    captioner: FakeEmbedder,
    fresh: EmbeddedServer,
    tmp_path: Path,
) -> None:
    connection.execute(CREATE.encode())
    weird = '"Odd ""place"."Weird, table"'
    for n in range(ROWS):
        connection.execute("INSERT INTO photo (id, part, image_path) VALUES (%s, 'a', %s)", (n, picture_uri(n)))
        connection.execute(f"INSERT INTO {weird} VALUES (%s, %s)".encode(), (n, picture_uri(n)))
    connection.execute("UPDATE photo SET image_path = 'data:,words' WHERE id = 0")
    assert work_off(database.url).embedded == 2 * ROWS - 1 + 2 * (ROWS - 1)
    captions = connection.execute("SELECT id, caption, 속성, caption_vector::text FROM photo WHERE id > 1").fetchall()
    connection.execute("UPDATE photo SET image_path = %s WHERE id = 1", (picture_uri(11),))  # pending at the dump

    move(server, database, fresh, tmp_path / "dump")
    with connect(fresh.url, autocommit=True) as there:
        there.execute("SET search_path = public, thanopg")
        shifted = there.execute("SELECT target_oid <> target FROM thanopg.embedding").fetchall()
        assert shifted == [(True,)] * 4
        # before anybody has looked at it, triggers find the columns by name
        there.execute("INSERT INTO photo (id, part, image_path) VALUES (20, 'b', %s)", (picture_uri(20),))
        there.execute(f'UPDATE {weird} SET "Key" = 30 WHERE "Key" = 3'.encode())
        install_embedded(fresh)
        assert there.execute("SELECT target_oid = target FROM thanopg.embedding").fetchall() == [(True,)] * 4
        tally = work_off(fresh.url)
        assert (tally.embedded, tally.failed) == (3 + 2 * 2, 0)  # the rows changed since, and none of the others
        made = there.execute("SELECT id, caption, 속성, caption_vector::text FROM photo WHERE id BETWEEN 2 AND 19")
        assert sorted(made.fetchall()) == sorted(captions)
        pictures = {**{n: n for n in range(2, ROWS)}, 1: 11, 20: 20}
        assert found(there, "photo", "id") == {0: None, **{n: vector(s, DIMENSIONS) for n, s in pictures.items()}}
        halves = {n: np.float16(vector(n % 27, DIMENSIONS)).astype(np.float32).tolist() for n in (0, 1, 2, 30, 4, 5)}
        assert found(there, weird, '"Key"') == halves
        failures = there.execute("SELECT key, error_type FROM thanopg.failure").fetchall()
        assert failures == [({"id": 0, "part": "a"}, "not_an_image")] * 2
        there.execute("ALTER TABLE photo RENAME id TO number; ALTER TABLE photo RENAME image_path TO path")
        there.execute("UPDATE photo SET path = %s WHERE number = 2", (picture_uri(12),))  # by number again
        there.execute("ALTER TABLE photo RENAME caption TO 설명; ALTER TABLE photo RENAME 속성 TO attributes")
        assert work_off(fresh.url).embedded == 3
        assert there.execute("SELECT attributes IS NOT NULL FROM photo WHERE number = 2").fetchone() == (True,)


def test_a_name_that_is_not_found_after_a_restore_is_kept_and_said(
    connection: psycopg.Connection,
    database: Database,
    server: EmbeddedServer,
    model: FakeEmbedder,
    tmp_path: Path,
) -> None:
    """A rename that no worker saw before the dump: the registry's row waits for the name to come back."""
    connection.execute("CREATE TABLE photo (id int PRIMARY KEY, image_path text)")
    connection.execute("SELECT add_image_embedding('photo', 'image_path', 'fake')")
    connection.execute("INSERT INTO photo VALUES (1, %s)", (picture_uri(1),))
    connection.execute("ALTER TABLE photo RENAME image_path TO path")
    connection.execute("UPDATE thanopg.embedding SET target_oid = 1")  # what a restore does to it
    said: list[str] = []
    connection.add_notice_handler(lambda diagnostic: said.append(diagnostic.message_hint or ""))
    work_off(database.url)
    connection.execute("SELECT thanopg.forget_dropped()")
    assert "rename them back" in said[0]
    connection.execute("ALTER TABLE photo RENAME path TO image_path")
    assert work_off(database.url).embedded == 1
