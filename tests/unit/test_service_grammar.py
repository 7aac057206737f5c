from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thanopg.errors import InvalidEncoding, NoCatalog, NotSupported, SyntaxNotUnderstood, ThanopgError
from thanopg.service.grammar import parse as parse_bytes
from thanopg.service.statement import BYTEA, TEXT, Call, Fixed, Forget, NoOp, Parameter, Statement, Transaction


def parse(text: str) -> list[Statement]:
    return parse_bytes(text.encode())


def only(text: str) -> Statement:
    (statement,) = parse(text)
    return statement


def call(text: str) -> Call:
    statement = only(text)
    assert isinstance(statement, Call)
    return statement


@pytest.mark.parametrize(
    "text",
    [
        "SELECT embed_text('a cat', 'clip')",
        "select thanopg.embed_text('a cat','clip');",
        "SELECT \"embed_text\"('a cat'::text, E'clip'::varchar)::text",
        "/* q */ SELECT embed_text('a cat'::pg_catalog.text, 'clip'::character varying) -- end",
        ";;SELECT embed_text($$a cat$$, 'clip');;",
    ],
)
def test_ways_to_write_a_call(text: str) -> None:
    assert call(text) == Call("embed_text", ("a cat", "clip"), "embed_text", (), frozenset())


USUAL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(USUAL, USUAL, USUAL)
def test_what_the_database_asks_is_read_like_everything_else(text: str, source: str, fingerprint: str) -> None:
    written = ", ".join("'" + part.replace("'", "''") + "'" for part in (text, source, fingerprint))
    expected = Call("embed_text", (text, source, fingerprint), "embed_text", (), frozenset())
    assert call(f"SELECT embed_text({written})") == expected  # at once, where no quote is doubled
    assert call(f"SELECT embed_text( {written})") == expected  # word by word


def test_bytes_that_are_no_text_are_refused_in_what_the_database_asks() -> None:
    with pytest.raises(InvalidEncoding):
        parse_bytes(b"SELECT embed_text('\xff', 'clip', 'f')")


def test_parameters_have_the_types_of_their_places() -> None:
    image = call("SELECT embed_image($2, $1, $3) AS vector")
    assert image.arguments == (Parameter(2), Parameter(1), Parameter(3))
    assert image.parameters == (TEXT, BYTEA, TEXT)
    assert image.column == "vector"
    assert call("SELECT embed_text($1, $1)").parameters == (TEXT,)
    assert call("SELECT embed_image($1::bytea, 'clip')").cast == frozenset({1})
    assert call("SELECT embed_text(NULL, $3)").parameters == (TEXT, TEXT, TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1, 2",
        "SELECT embed_text('a', 'b'), embed_text('c', 'd')",
        "SELECT embed_text('a', 'b') FROM photo",
        "SELECT * FROM photo",
        "SELECT other('a')",
        "SELECT embed_text('a')",
        "SELECT embed_text('a', 'b', 'c', 'd')",
        "SELECT embed_text(1, 'b')",
        "SELECT embed_text('a'::bytea, 'b')",
        "SELECT embed_text('a'::int, 'b')",
        "SELECT embed_text('a', 'b')::vector",
        "SELECT embed_text(other(), 'b')",
        "SELECT elsewhere.embed_text('a', 'b')",
        "SELECT embed_text($99999, 'b')",
        "SELECT 99999999999",
        "INSERT INTO photo VALUES (1)",
        "COPY photo FROM stdin",
        "SHOW shared_buffers",
        "SET client_encoding TO 'LATIN1'",
        "1",
        "(",
    ],
)
def test_everything_else_is_not_accepted_and_the_hint_says_what_is(text: str) -> None:
    with pytest.raises(NotSupported) as caught:
        parse(text)
    assert caught.value.sqlstate == "0A000"
    assert "embed_text" in caught.value.hint or "client_encoding" in caught.value.message or "cast" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["SELECT embed_text('a' 'b')", "SELECT embed_text('a', ", "SELECT embed_image($1, $1)"]
)
def test_what_can_not_be_read(text: str) -> None:
    with pytest.raises((SyntaxNotUnderstood, NotSupported)):
        parse(text)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("BEGIN", Transaction("BEGIN")),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", Transaction("BEGIN")),
        ("start transaction", Transaction("START TRANSACTION")),
        ("COMMIT", Transaction("COMMIT")),
        ("END", Transaction("COMMIT")),
        ("ROLLBACK", Transaction("ROLLBACK")),
        ("ROLLBACK TO SAVEPOINT s", Transaction("ROLLBACK TO")),
        ("SET extra_float_digits = 3", NoOp("SET")),
        ("SET client_encoding TO 'utf-8'", NoOp("SET")),
        ("SET NAMES 'UTF8'", NoOp("SET")),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED", NoOp("SET")),
        ("RESET ALL", NoOp("RESET")),
        ("DISCARD ALL", Forget(None, "DISCARD ALL")),
        ("DISCARD TEMP", NoOp("DISCARD TEMP")),
        ("DEALLOCATE ALL", Forget(None, "DEALLOCATE ALL")),
        ('DEALLOCATE "_pg3_0"', Forget("_pg3_0", "DEALLOCATE")),
        ("SHOW transaction isolation level", Fixed("transaction_isolation_level", "read committed", tag="SHOW")),
        ("SHOW standard_conforming_strings", Fixed("standard_conforming_strings", "on", tag="SHOW")),
        ("SELECT 1", Fixed("?column?", "1", 23)),
        ("select 1 as one", Fixed("one", "1", 23)),
        ("select current_schema()", Fixed("current_schema", "thanopg")),
    ],
)
def test_what_drivers_send_around_the_calls(text: str, statement: Statement) -> None:
    assert only(text) == statement


def test_asyncpg_resets_with_four_statements() -> None:
    tags = [
        statement.tag
        for statement in parse("SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;")
        if not isinstance(statement, Call)
    ]
    assert tags == ["SELECT 1", "CLOSE CURSOR ALL", "UNLISTEN", "RESET"]


@pytest.mark.parametrize("text", ["", " ", ";", "-- nothing", "/* nothing */ ;"])
def test_the_empty_query(text: str) -> None:
    assert parse(text) == []


def test_drivers_that_look_up_types_are_told_that_there_are_none() -> None:
    with pytest.raises(NoCatalog):
        parse("SELECT oid FROM pg_catalog.pg_type WHERE typname = 'hstore'")


FRAGMENTS = [
    "SELECT",
    "embed_text",
    "embed_image",
    "(",
    ")",
    ",",
    "'a'",
    "$1",
    "::",
    "text",
    "bytea",
    ";",
    "1",
    "NULL",
    "AS",
]


@given(st.lists(st.sampled_from([*FRAGMENTS, "SET", "DEALLOCATE", "SHOW", "DISCARD", "ROLLBACK", "TO", '"q"', "."])))
def test_any_words_give_statements_or_one_of_our_errors(words: list[str]) -> None:
    with contextlib.suppress(ThanopgError):
        parse(" ".join(words))
