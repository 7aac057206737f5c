"""The embedding service as the clients that people have see it."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import psycopg
import psycopg_pool
import pytest
import sqlalchemy
from PIL import Image
from psycopg import errors

from tests.acceptance.service_fixtures.asking import (
    BIN,
    SOURCE,
    ask,
    asyncpg_options,
    in_loop,
    program,
    psql,
    read_vector,
    vector_of,
)
from tests.acceptance.service_fixtures.running import GATED, PATIENCE, READER, TALKER, USER, RunningService
from thanopg.models.fake import FakeEmbedder


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with RunningService() as running:
        yield running


@pytest.fixture
def connection(service: RunningService) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(service.dsn(), autocommit=True) as opened:
        yield opened


# --- psql and pgbench -----------------------------------------------------------------------------------------------


def test_psql(service: RunningService) -> None:
    found = psql(service, f"SELECT embed_text('안녕 it''s', '{SOURCE}')")
    assert found.returncode == 0, found.stderr
    assert read_vector(found.stdout.strip()) == vector_of("안녕 it's")


def test_psql_over_tcp_with_several_statements(service: RunningService) -> None:
    found = psql(service, "SELECT 1; BEGIN; SELECT describe_model('fake:8'); COMMIT", PGHOST="127.0.0.1")
    assert found.returncode == 0, found.stderr
    one, described = found.stdout.splitlines()
    assert one == "1"
    info = json.loads(described)
    assert (info["dimensions"], info["source"], info["device"]) == (8, "fake:8", "cpu")


def test_psql_with_the_extended_protocol(service: RunningService) -> None:
    script = (
        f"SELECT embed_text($1, $2) \\parse named \n\\bind_named named 'cat' '{SOURCE}' \\g\n\\close_prepared named\n"
    )
    found = subprocess.run(
        [BIN / "psql", "-XAtq", service.dsn()], input=script, capture_output=True, text=True, timeout=60, check=False
    )
    assert found.stderr == ""
    assert read_vector(found.stdout.strip()) == vector_of("cat")


def test_errors_and_notices_in_psql(service: RunningService) -> None:
    found = psql(service, "SELECT count(*) FROM photo")
    assert "0A000" in found.stderr and "HINT:" in found.stderr and "embed_text" in found.stderr
    found = psql(service, f"SELECT embed_text('{'long ' * 100}', '{SOURCE}')")
    assert found.returncode == 0
    assert "NOTICE:" in found.stderr and "77 tokens" in found.stderr
    again = psql(service, f"SELECT embed_text('{'long ' * 100}', '{SOURCE}')")
    assert again.stderr == found.stderr, "an answer from the cache says so too"


def test_wrong_password_in_psql(service: RunningService) -> None:
    found = psql(service, "SELECT 1", PGPASSWORD="wrong", PGHOST="127.0.0.1")
    assert found.returncode == 2
    assert f'password authentication failed for user "{USER}"' in found.stderr
    assert psql(service, "SELECT 1", PGUSER="nobody").returncode == 2


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(service: RunningService, tmp_path: Path, mode: str) -> None:
    script = tmp_path / "embed.sql"
    script.write_text(f"SELECT embed_text('a cat', '{SOURCE}');\n")
    found = program(service, "pgbench", "-n", "-M", mode, "-c", "4", "-j", "2", "-t", "50", "-f", str(script))
    assert found.returncode == 0, found.stderr
    assert "number of failed transactions: 0" in found.stdout
    assert "200/200" in found.stdout


# --- psycopg --------------------------------------------------------------------------------------------------------


def test_psycopg_simple_and_extended(service: RunningService, connection: psycopg.Connection[Any]) -> None:
    expected = vector_of("a 'quoted' \\ 고양이")
    assert read_vector(ask(connection, "a 'quoted' \\ 고양이")) == expected
    simple = psycopg.ClientCursor(connection)
    row = simple.execute("SELECT embed_text(%s, %s)", ("a 'quoted' \\ 고양이", SOURCE)).fetchone()
    assert row is not None and read_vector(row[0]) == expected
    binary = connection.execute("SELECT embed_text(%b, %t)", ("cat", SOURCE), binary=True).fetchone()
    assert binary is not None and read_vector(binary[0]) == vector_of("cat")
    assert connection.execute("SELECT 1").fetchone() == (1,)
    assert connection.execute("SELECT 1", binary=True).fetchone() == (1,)


def test_psycopg_prepares_after_five_executions(connection: psycopg.Connection[Any]) -> None:
    assert len({ask(connection, "same") for _ in range(12)}) == 1
    connection.prepared_max = 1
    for number in range(12):
        connection.execute(f"SELECT embed_text('{number % 2}', %s)", (SOURCE,), prepare=True)
    assert read_vector(ask(connection, "after")) == vector_of("after")


def test_psycopg_pipeline(connection: psycopg.Connection[Any]) -> None:
    with connection.pipeline():
        cursors = [connection.execute("SELECT embed_text(%s, %s)", (f"text {n}", SOURCE)) for n in range(20)]
    for number, cursor in enumerate(cursors):
        row = cursor.fetchone()
        assert row is not None and read_vector(row[0]) == vector_of(f"text {number}")


def test_an_error_in_a_psycopg_pipeline(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(errors.FeatureNotSupported), connection.pipeline() as pipeline:
        connection.execute("SELECT 1")
        connection.execute("SELECT nothing()")
        pipeline.sync()
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_psycopg_transactions(service: RunningService) -> None:
    with psycopg.connect(service.dsn(tcp=True)) as opened:
        with opened.transaction(), opened.transaction():
            ask(opened, "in a savepoint")
        with pytest.raises(errors.FeatureNotSupported), opened.transaction():
            opened.execute("DROP TABLE photo")
        assert opened.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        ask(opened, "begins a transaction")
        assert opened.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        opened.commit()


def test_psycopg_notices(connection: psycopg.Connection[Any]) -> None:
    notices: list[str | None] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.severity))
    ask(connection, "word " * 200)
    assert notices == ["NOTICE"]


def test_psycopg_pool(service: RunningService) -> None:
    with psycopg_pool.ConnectionPool(
        service.dsn(), min_size=2, max_size=4, check=psycopg_pool.ConnectionPool.check_connection, timeout=PATIENCE
    ) as pool:
        for _ in range(8):
            with pool.connection() as opened:
                assert read_vector(ask(opened, "pooled")) == vector_of("pooled")


def test_sqlalchemy(service: RunningService) -> None:
    engine = sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(service.dsn()), pool_pre_ping=True
    )
    for _ in range(2):
        with engine.connect() as opened:
            literal = opened.scalar(sqlalchemy.select(sqlalchemy.func.embed_text("cat", SOURCE)))
            assert read_vector(literal) == vector_of("cat")
            text = sqlalchemy.text("SELECT embed_text(:query, :model)")
            assert opened.scalar(text, {"query": "cat", "model": SOURCE}) == literal
    engine.dispose()


# --- asyncpg --------------------------------------------------------------------------------------------------------


@in_loop
async def test_asyncpg(service: RunningService) -> None:
    opened = await asyncpg.connect(**asyncpg_options(service))
    try:
        assert read_vector(await opened.fetchval("SELECT embed_text($1, $2)", "cat", SOURCE)) == vector_of("cat")
        assert read_vector(await opened.fetchval(f"SELECT embed_text('cat', '{SOURCE}')")) == vector_of("cat")
        assert await opened.fetchval("SELECT 1") == 1
        async with opened.transaction():
            statement = await opened.prepare("SELECT embed_text($1, $2)")
            assert [str(parameter.name) for parameter in statement.get_parameters()] == ["text", "text"]
            for text in ("a", "b"):
                assert read_vector(await statement.fetchval(text, SOURCE)) == vector_of(text)
        with pytest.raises(asyncpg.FeatureNotSupportedError) as caught:
            await opened.execute("DROP TABLE photo")
        assert "embed_text" in caught.value.hint
        data = picture()
        assert await opened.fetchval("SELECT embed_image($1, $2)", data, SOURCE)
    finally:
        await opened.close()


@in_loop
async def test_asyncpg_pool_with_reset(service: RunningService) -> None:
    async with asyncpg.create_pool(**asyncpg_options(service), min_size=1, max_size=2) as pool:
        found = await asyncio.gather(
            *(pool.fetchval("SELECT embed_text($1, $2)", f"t{n % 3}", SOURCE) for n in range(9))
        )
    assert [read_vector(literal) for literal in found] == [vector_of(f"t{n % 3}") for n in range(9)]


def picture(size: tuple[int, int] = (32, 32), form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(file, form)
    return file.getvalue()


# --- images and models ----------------------------------------------------------------------------------------------


def test_images(connection: psycopg.Connection[Any]) -> None:
    data = picture()
    expected = list(FakeEmbedder(64).embed_images(np.full((1, 32, 32, 3), (200, 30, 30), np.uint8))[0])
    statement = "SELECT embed_image(%s, %s)"
    found = [
        connection.execute(statement, (data, SOURCE)).fetchone(),
        connection.execute(statement, (data, SOURCE), binary=True).fetchone(),
        psycopg.ClientCursor(connection).execute(statement, (data, SOURCE)).fetchone(),
        connection.execute("SELECT embed_image(%s::bytea, %s)", ("\\x" + data.hex(), SOURCE)).fetchone(),
    ]
    assert all(row is not None and read_vector(row[0]) == expected for row in found)


def test_a_large_image_comes_in_by_every_way(connection: psycopg.Connection[Any]) -> None:
    pixels = np.random.default_rng(5).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    data, digits = file.getvalue(), "\\x" + file.getvalue().hex()
    assert len(data) > 100_000
    statement = "SELECT embed_image(%s, %s)"
    found = {
        connection.execute(statement, (data, SOURCE), binary=True).fetchone(),
        connection.execute("SELECT embed_image(%s::bytea, %s)", (digits, SOURCE)).fetchone(),
        psycopg.ClientCursor(connection).execute(statement, (data, SOURCE)).fetchone(),
        *(
            connection.execute(f"SELECT embed_image({literal}, '{SOURCE}')".encode()).fetchone()
            for literal in (
                f"'{digits}'",
                f"E'\\{digits}'::bytea",
                f"$x${digits}$x$",
                f"/* it's */ '{digits}' -- it's\n",
            )
        ),
    }
    assert len(found) == 1 and None not in found
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(f"SELECT embed_image('{digits[:-1]}', '{SOURCE}')".encode())
    assert caught.value.sqlstate == "22023"


def test_what_is_wrong_with_an_image_or_a_model(service: RunningService, connection: psycopg.Connection[Any]) -> None:
    def error(statement: str, *arguments: object) -> psycopg.Error:
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement, arguments)
        return caught.value

    image, text = "SELECT embed_image(%s, %s)", "SELECT embed_text(%s, %s)"
    assert error(image, b"no picture", SOURCE).sqlstate == "22000"
    assert error(image, picture((64, 64), "BMP")[:500], SOURCE).sqlstate == "22000"
    assert error(image, bytes(1_000_001), SOURCE).sqlstate == "22000"
    assert error(image, bytes(4_000_000), SOURCE).sqlstate == "54000"
    assert error(image, None, SOURCE).sqlstate == "22004"
    assert error(text, "", SOURCE).sqlstate == "22023"
    assert error(text, "cat", None).sqlstate == "22004"
    unknown = error(text, "cat", "clipn")
    assert unknown.sqlstate == "42704" and unknown.diag.message_hint
    assert error("SELECT caption_image(%s, %s)", picture(), SOURCE).sqlstate == "0A000"
    mismatch = error("SELECT embed_text(%s, %s, %s)", "cat", SOURCE, "0" * 64)
    assert mismatch.sqlstate == "55000" and mismatch.diag.message_hint
    right = FakeEmbedder(64).info.fingerprint
    assert connection.execute("SELECT embed_text(%s, %s, %s)", ("cat", SOURCE, right)).fetchone()


def test_a_captioner_is_told_its_language_and_its_prompt(connection: psycopg.Connection[Any]) -> None:
    def caption(*more: str) -> str:
        places = ", %s" * len(more)
        row = connection.execute(f"SELECT caption_image(%s, '{TALKER}'{places})", (picture(), *more)).fetchone()
        assert row is not None
        return str(row[0])

    assert caption() == caption("", "", "")
    assert caption().startswith("무늬가 있는 그림"), "Hangul is composed"
    assert caption("", "en").startswith("a picture")
    assert caption("", "", "무슨 색이야?").startswith("무슨 색이야? 무늬가")
    with pytest.raises(psycopg.Error, match="takes 2 to 5 arguments"):
        caption("", "en", "what is it?", "more")


def test_models_that_make_no_vectors_of_texts_or_of_pictures(connection: psycopg.Connection[Any]) -> None:
    for statement, source, message, hint in (
        ("SELECT embed_text('a cat', %(model)s)", TALKER, "embeds no texts", "caption_image"),
        ("SELECT embed_image(%(image)s, %(model)s)", TALKER, "embeds no pictures", "caption_image"),
        ("SELECT embed_image(%(image)s, %(model)s)", READER, "embeds no pictures", "embed_text"),
        ("SELECT caption_image(%(image)s, %(model)s)", READER, "writes no captions", "florence2"),
    ):
        with pytest.raises(errors.FeatureNotSupported, match=message) as caught:
            connection.execute(statement, {"image": picture(), "model": source})
        assert hint in (caught.value.diag.message_hint or "")
    assert connection.execute("SELECT embed_text('a cat', %s)", [READER]).fetchone()
    for source, described in (
        (TALKER, {"dimensions": 0, "can_caption": True, "can_embed_texts": False, "can_embed_images": False}),
        (READER, {"dimensions": 9, "can_caption": False, "can_embed_texts": True, "can_embed_images": False}),
    ):
        row = connection.execute("SELECT describe_model(%s)", [source]).fetchone()
        assert row is not None and json.loads(row[0]).items() >= described.items()


def test_a_text_seen_before_does_not_reach_the_model() -> None:
    with RunningService() as service, psycopg.connect(service.dsn(), autocommit=True) as opened:
        service.gated.gate.set()
        first = ask(opened, "cat", GATED)
        assert [ask(opened, "cat", GATED) for _ in range(3)] == [first] * 3
        ask(opened, "cat ", GATED)
        assert service.gated.texts == ["cat", "cat "]
