from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thanopg.errors import InvalidArgument, InvalidEncoding, LimitExceeded, SyntaxNotUnderstood
from thanopg.service.lexer import Long, Token, tokens


def lex(text: str) -> list[Token]:
    return list(tokens(text.encode()))


def test_a_call() -> None:
    assert lex("SELECT Embed_Text('a', $2);") == [
        ("name", "select"),
        ("name", "embed_text"),
        ("sign", "("),
        ("string", "a"),
        ("sign", ","),
        ("parameter", "2"),
        ("sign", ")"),
        ("sign", ";"),
    ]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("'it''s'", "it's"),
        ("''", ""),
        ("''''", "'"),
        (r"'\x00'", r"\x00"),
        (r"E'\\x00'", r"\x00"),
        (r"E'a\'b''c\n\t\x41\u00e9\U0001F600\101'", "a'b'c\n\tAé\U0001f600A"),
        ("e'plain'", "plain"),
        ("$$it's$$", "it's"),
        ("$q$a $$ b$q$", "a $$ b"),
        ("'밝은 빨간색'", "밝은 빨간색"),
        ("'two\nlines'", "two\nlines"),
    ],
)
def test_strings(text: str, content: str) -> None:
    assert lex(text) == [("string", content)]


def test_quoted_names_keep_their_case() -> None:
    assert lex('"Embed_Text" "we""ird"') == [("name", "Embed_Text"), ("name", 'we"ird')]


def test_spaces_and_comments_are_left_out() -> None:
    assert lex("  -- a 'comment'\n /* and /* nested */ 'x' */ select -- end") == [("name", "select")]


@pytest.mark.parametrize("text", ["'open", "E'open\\'", '"open', "$$open", "/* open", "/* /* */", r"E'\0'", r"E'\xff'"])
def test_what_is_not_ended_is_an_error(text: str) -> None:
    with pytest.raises(SyntaxNotUnderstood):
        lex(text)


@given(st.text(max_size=200))
def test_any_text_gives_tokens_or_a_syntax_error(text: str) -> None:
    with contextlib.suppress(SyntaxNotUnderstood):
        lex(text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_a_quoted_literal_comes_back(text: str) -> None:
    assert lex("'" + text.replace("'", "''") + "'") == [("string", text)]
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    assert lex(f"E'{escaped}'") == [("string", text)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;" * 1_000_000,
        "1 " * 5_000_000,
        "/**/" * 3_000_000,
        "/*" * 5_000_000,
        "'" + "''" * 5_000_000 + "'",
        '"' + '""' * 5_000_000 + '"',
        "E'" + "\\n" * 5_000_000 + "'",
        "E'\\\\x00''" + "\\101" * 5_000_000 + "'",
        "E'" + "\\n" * 2_000 + "'",
        "/*" + " " * 1_000_000 + "/* */" * 1_000_000,
        " " * 5_000_000,
        "--\n" * 1_000_000,
        "a" * 5_000_000,
        '"' + "a" * 5_000_000 + '"',
    ],
)
def test_what_is_read_sign_by_sign_is_bounded(text: str) -> None:
    with pytest.raises(LimitExceeded):
        lex(text)


@pytest.mark.parametrize("literal", ["'\\x{}'", "E'\\\\x{}'", "$${}$$", "'{}'"])
def test_long_literals_are_read_whole(literal: str) -> None:
    digits = "0f" * 5_000_000
    text = bytearray(literal.format(digits).encode())
    ((kind, value),) = tokens(text)
    assert kind == "string" and isinstance(value, Long)
    assert value.view.obj is text, "not a copy"
    assert value.view.tobytes().removeprefix(b"\\x") == digits.encode()


def test_the_beginning_of_a_long_literal() -> None:
    ((_, value),) = tokens(("'" + "밝은 ''빨간'' 미니 원피스 " * 1_900 + "'").encode())
    assert isinstance(value, Long)
    assert value.beginning(20_000)[:16_385] == ("밝은 '빨간' 미니 원피스 " * 1_900)[:16_385]
    for wrong, error in ((b"\xff", InvalidEncoding), (b"\0", InvalidArgument)):
        ((_, value),) = tokens(b"'" + wrong + b"a" * 100_000 + b"'")
        assert isinstance(value, Long)
        with pytest.raises(error):
            value.beginning(10)


@pytest.mark.parametrize("text", ["E'" + "a" * 60_000, "E'" + "a\\n" * 20_000, "E'" + "''" * 30_000 + "\\"])
def test_a_literal_without_an_end_is_found_out_at_once(text: str) -> None:
    with pytest.raises(SyntaxNotUnderstood):
        lex(text)
