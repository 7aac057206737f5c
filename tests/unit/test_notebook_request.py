"""What a line or a cell of `%thanosql` asks for."""

from __future__ import annotations

import pytest

from thanopg.errors import InvalidArgument
from thanopg.notebook.request import Connect, Request, Run, UseToken, understand


@pytest.mark.parametrize(
    ("line", "cell", "request_"),
    [
        ("postgresql://shop@db/shop", None, Connect("postgresql://shop@db/shop")),
        ("  postgres://shop@db/shop?sslmode=require ", None, Connect("postgres://shop@db/shop?sslmode=require")),
        ("API_TOKEN=<발급받은_API_TOKEN>", None, UseToken("<발급받은_API_TOKEN>")),
        ("API_TOKEN = 'a b'", "", UseToken("a b")),
        ("SELECT 1", None, Run("SELECT 1")),
        ("$query", None, Run("$query")),
        ("", "SELECT 1\n", Run("SELECT 1\n")),
        ("PRINT IMAGE", "AS SELECT 1", Run("PRINT IMAGE\nAS SELECT 1")),
        ("--thumbnails", "SELECT 1", Run("SELECT 1", thumbnails="")),
        ("--thumbnails SELECT 1", None, Run("SELECT 1", thumbnails="")),
        ("--thumbnails=그림 SELECT 1", None, Run("SELECT 1", thumbnails="그림")),
        ("-- a comment", None, Run("-- a comment")),
        ("", None, Run("")),
        ("", "   \n", Run("")),
        ("SELECT 'postgresql://x'", None, Run("SELECT 'postgresql://x'")),
    ],
)
def test_it_is_understood(line: str, cell: str | None, request_: Request) -> None:
    assert understand(line, cell) == request_


@pytest.mark.parametrize("line", ["https://engine.thanosql.ai", "mysql://root@db", "--pictures SELECT 1"])
def test_what_is_meant_is_said(line: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        understand(line, None)
    assert error.value.hint


def test_secrets_are_not_in_what_is_printed() -> None:
    assert "secret" not in repr((Connect("postgresql://u:secret@h/d"), UseToken("secret")))
