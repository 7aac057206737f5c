"""The protocol after login, as bytes: what goes in, which calls come out, what is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.service_client import (
    FLUSH,
    SYNC,
    bind,
    close,
    describe,
    errors,
    execute,
    fields,
    kinds,
    message,
    parse,
    query,
    replies,
    values,
)
from thanopg.errors import CallCancelled, TooBusy
from thanopg.service.frontend import LARGE
from thanopg.service.lexer import Long
from thanopg.service.prepared import MAX_KEPT
from thanopg.service.reader import Budget, PacketReader
from thanopg.service.request import MAX_TEXT, Answer, CaptionImage, DescribeModel, EmbedImage, EmbedText, Request
from thanopg.service.session import Goodbye, Session

VECTOR = Answer(b"[1,0]")
CALL = "SELECT embed_text('a cat', 'fake:2')"


class Client:
    """Feeds a session and answers its calls at once."""

    def __init__(self, *, limit: int = 1_000_000, budget: int = 1_000_000) -> None:
        self.budget = Budget(budget)
        self.reader = PacketReader(self.budget, limit)
        self.session = Session(self.reader)
        self.calls: list[Request] = []
        self.gone = False

    def send(self, *data: bytes) -> bytes:
        for part in data:
            self.reader.feed(part)
        while True:
            event = self.session.next()
            if isinstance(event, Goodbye):
                self.gone = True
                break
            if event is not None:
                self.calls.append(event)
                self.session.answer(VECTOR)
            elif not self.session.more:
                break
        return self.session.take()


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_simple_query(client: Client) -> None:
    found = client.send(query(CALL))
    assert kinds(found) == "TDCZI"
    assert values(found) == [b"[1,0]"]
    assert client.calls == [EmbedText("a cat", "fake:2", None)]
    assert replies(found)[2] == ("C", b"SELECT 1\0")


def test_a_call_is_waited_for(client: Client) -> None:
    client.reader.feed(query(CALL) + query("SELECT 1"))
    assert client.session.next() == EmbedText("a cat", "fake:2", None)
    assert client.session.busy
    assert client.session.next() is None
    assert client.session.take() == b""
    client.session.answer(VECTOR)
    assert client.session.next() is None
    assert kinds(client.session.take()) == "TDCZITDCZI"


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("SELECT embed_text('a', 'm', 'f')", EmbedText("a", "m", "f")),
        (r"SELECT embed_image('\x00ff', 'm')", EmbedImage(r"\x00ff", "m", None)),
        (r"SELECT embed_image( E'\\x00ff'::bytea, 'm', 'f')", EmbedImage(r"\x00ff", "m", "f")),
        ("SELECT describe_model('m')", DescribeModel("m")),
        (r"SELECT caption_image('\x00', 'm')", CaptionImage(r"\x00", "m", None, None)),
        (r"SELECT caption_image('\x00', 'm', 'f')", CaptionImage(r"\x00", "m", "f", None)),
        (r"SELECT caption_image('\x00', 'm', '', 'en')", CaptionImage(r"\x00", "m", None, "en")),
        (r"SELECT caption_image('\x00', 'm', '', 'ko', '뭐야?')", CaptionImage(r"\x00", "m", None, "ko", "뭐야?")),
        (r"SELECT caption_image('\x00', 'm', 'f', '', '')", CaptionImage(r"\x00", "m", "f", None, None)),
    ],
)
def test_requests(client: Client, text: str, request_: Request) -> None:
    client.send(query(text))
    assert client.calls == [request_]


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("", "IZI"),
        ("SELECT 1", "TDCZI"),
        ("BEGIN", "CZT"),
        ("SET x = 1", "CZI"),
        ("DISCARD ALL", "CZI"),
        ("BEGIN; SELECT 1; COMMIT", "CTDCCZI"),
        ("SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;", "TDCCCCZI"),
        ("SELECT 2 +", "EZI"),
        ("SELECT 1; DROP TABLE x", "EZI"),
        ("SELECT embed_text($1, 'm')", "EZI"),
        ("SELECT embed_text(NULL, 'm')", "EZI"),
    ],
)
def test_simple_queries(client: Client, text: str, answered: str) -> None:
    assert kinds(client.send(query(text))) == answered


def test_what_is_answered_around_an_error(client: Client) -> None:
    found = client.send(query("SELECT nothing()"))
    report = fields(replies(found)[0][1])
    assert (report["S"], report["V"], report["C"]) == ("ERROR", "ERROR", "0A000")
    assert "nothing" in report["M"] and "embed_text" in report["H"]
    assert errors(client.send(query("SELECT embed_text(NULL, 'm')"))) == ["22004"]
    assert errors(client.send(message("Q", b"SELECT '\xff'\0"))) == ["22021"]
    assert errors(client.send(query("SELECT 'open"))) == ["42601"]


def test_transaction_states(client: Client) -> None:
    assert kinds(client.send(query("BEGIN"))) == "CZT"
    assert kinds(client.send(query("SELECT nothing()"))) == "EZE"
    assert errors(client.send(query(CALL))) == ["25P02"]
    assert kinds(client.send(query("ROLLBACK TO s"))) == "CZT"
    assert kinds(client.send(query("nonsense"))) == "EZE"
    assert replies(client.send(query("COMMIT")))[0] == ("C", b"ROLLBACK\0")
    assert kinds(client.send(query(CALL))) == "TDCZI"
    assert len(client.calls) == 1


def test_an_error_ends_a_query_of_several_statements(client: Client) -> None:
    client.reader.feed(query(f"SELECT 1; {CALL}; SELECT 1"))
    assert client.session.next() is not None
    client.session.fail(TooBusy())
    client.session.next()
    found = client.session.take()
    assert kinds(found) == "TDCEZI"
    assert errors(found) == ["53300"]


def test_extended_query_with_parameters(client: Client) -> None:
    found = client.send(
        parse("SELECT embed_text($1, $2)"),
        describe("S"),
        bind("고양이".encode(), b"fake:2"),
        describe("P"),
        execute(),
        SYNC,
    )
    assert kinds(found) == "1tT2TDCZI"
    assert dict(replies(found))["t"] == b"\0\2" + (25).to_bytes(4, "big") * 2
    assert client.calls == [EmbedText("고양이", "fake:2", None)]


@pytest.mark.parametrize("formats", [(), (0,), (1,), (1, 0), (0, 1)])
def test_text_is_the_same_in_both_formats(client: Client, formats: tuple[int, ...]) -> None:
    found = client.send(
        parse("SELECT embed_text($1, $2)"), bind(b"a", b"m", formats=formats, results=(1,)), execute(), SYNC
    )
    assert kinds(found) == "12DCZI"
    assert client.calls == [EmbedText("a", "m", None)]


def test_an_image_in_both_formats(client: Client) -> None:
    statement = "SELECT embed_image($1, $2)"
    client.send(parse(statement), bind(b"\\x00ff", b"m"), execute(), SYNC)
    client.send(parse(statement, types=(17, 0)), bind(b"\x00\xff", b"m", formats=(1, 0)), execute(), SYNC)
    client.send(parse("SELECT embed_image($1::bytea, $2)", types=(25,)), bind(b"\\x00ff", b"m"), execute(), SYNC)
    assert client.calls == [
        EmbedImage("\\x00ff", "m", None),
        EmbedImage(b"\x00\xff", "m", None),
        EmbedImage("\\x00ff", "m", None),
    ]
    described = client.send(parse(statement), describe("S"), SYNC)
    assert dict(replies(described))["t"] == b"\0\2" + (17).to_bytes(4, "big") + (25).to_bytes(4, "big")


def test_parameters_of_other_types_are_refused(client: Client) -> None:
    assert errors(client.send(parse("SELECT embed_text($1, $2)", types=(23, 25)), SYNC)) == ["0A000"]
    assert errors(client.send(parse("SELECT embed_image($1, $2)", types=(25, 25)), SYNC)) == ["0A000"]


def test_a_named_statement_is_parsed_once_and_executed_often(client: Client) -> None:
    assert kinds(client.send(parse("SELECT embed_text($1, 'm')", name="s"), SYNC)) == "1ZI"
    for text in (b"a", b"b"):
        assert kinds(client.send(bind(text, name="s"), execute(), SYNC)) == "2DCZI"
    assert errors(client.send(parse(CALL, name="s"), SYNC)) == ["42P05"]
    assert kinds(client.send(close("S", "s"), SYNC)) == "3ZI"
    assert errors(client.send(bind(b"a", name="s"), SYNC)) == ["26000"]
    assert kinds(client.send(close("S", "s"), close("P", "never"), SYNC)) == "33ZI"
    assert client.calls == [EmbedText("a", "m", None), EmbedText("b", "m", None)]


@pytest.mark.parametrize("text", ["DEALLOCATE s", "DEALLOCATE ALL", "DISCARD ALL"])
def test_statements_are_forgotten_through_sql(client: Client, text: str) -> None:
    client.send(parse(CALL, name="s"), SYNC)
    assert kinds(client.send(query(text))) == "CZI"
    assert errors(client.send(describe("S", "s"), SYNC)) == ["26000"]
    assert errors(client.send(query("DEALLOCATE s"))) == ["26000"]


def test_portals_live_until_the_end_of_the_transaction(client: Client) -> None:
    client.send(parse(CALL, name="s"), bind(name="s", portal="p"), SYNC)
    assert errors(client.send(execute("p"), SYNC)) == ["34000"]
    client.send(query("BEGIN"), bind(name="s", portal="p"), SYNC)
    assert kinds(client.send(execute("p"), SYNC)) == "DCZT"
    found = client.send(execute("p"), SYNC)
    assert replies(found)[0] == ("C", b"SELECT 0\0")


def test_several_executions_before_one_sync(client: Client) -> None:
    parts = [part for text in (b"a", b"b", b"c") for part in (bind(text), execute())]
    found = client.send(parse("SELECT embed_text($1, 'm')"), *parts, SYNC)
    assert kinds(found) == "1" + "2DC" * 3 + "ZI"


def test_after_an_error_everything_is_discarded_until_sync(client: Client) -> None:
    found = client.send(parse("nonsense"), bind(), execute(), query("SELECT 1"), parse(CALL), SYNC)
    assert kinds(found) == "EZI"
    assert kinds(client.send(SYNC)) == "ZI"
    client.reader.feed(parse(CALL) + bind() + execute() + execute() + SYNC)
    assert client.session.next() is not None
    client.session.fail(CallCancelled())
    assert client.session.next() is None
    assert kinds(client.session.take()) == "12EZI"


def test_statements_without_rows(client: Client) -> None:
    assert kinds(client.send(parse("BEGIN"), bind(), describe("P"), execute(), SYNC)) == "12nCZT"
    assert kinds(client.send(parse(""), describe("S"), bind(), execute(), SYNC)) == "1tn2IZT"
    assert kinds(client.send(parse("ROLLBACK"), bind(), execute(), SYNC)) == "12CZI"


def test_an_int4_in_binary(client: Client) -> None:
    found = client.send(parse("SELECT 1"), bind(results=(1,)), describe("P"), execute(), SYNC)
    assert values(found) == [b"\0\0\0\1"]


def test_flush_and_copy_messages_are_no_harm(client: Client) -> None:
    assert kinds(client.send(FLUSH, message("d", b"x"), message("c"), message("f", b"x\0"), SYNC)) == "ZI"


def test_the_old_function_call_is_refused(client: Client) -> None:
    assert kinds(client.send(message("F", b"\0\0\0\1"))) == "EZI"


@pytest.mark.parametrize(
    "data",
    [
        message("Q", b"no end"),
        message("Q", b"SELECT 1\0more"),
        message("B", b"\0"),
        message("B", b"\0\0\0\0\0\1\0\0\1\0"),
        message("D", b"Xname\0"),
        message("P", b"\0SELECT 1\0\0\5"),
        message("E", b""),
        message("p", b"password\0"),
        bind(b"too", b"many"),
    ],
)
def test_a_malformed_message_is_an_error_and_the_connection_lives(client: Client, data: bytes) -> None:
    client.send(parse("SELECT 1"), SYNC)
    assert errors(client.send(data, SYNC)) == ["08P01"]
    assert not client.gone
    assert kinds(client.send(query(CALL))) == "TDCZI"


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 20, b"Q\0\0\0\1", b"Q\xff\xff\xff\xff", b"\x16\3\1\2\0"]
)
def test_what_is_not_the_protocol_ends_the_connection(client: Client, data: bytes) -> None:
    found = client.send(data)
    assert client.gone
    assert fields(replies(found)[0][1])["S"] == "FATAL"


def test_terminate(client: Client) -> None:
    assert client.send(message("X")) == b""
    assert client.gone


def test_a_message_over_the_limit_is_skipped_and_refused() -> None:
    client = Client(limit=100_000)
    large = query("SELECT embed_text('" + "a" * 200_000 + "', 'm')")
    found = b"".join(client.send(large[start : start + 9999]) for start in range(0, len(large), 9999))
    assert errors(found) == ["54000"]
    assert kinds(found) == "EZI"
    assert errors(client.send(parse("SELECT embed_text($1, 'm')"), bind(b"a" * 200_000), execute(), SYNC)) == ["54000"]
    assert kinds(client.send(query(CALL))) == "TDCZI"
    assert client.budget.free == 1_000_000


@pytest.mark.parametrize("extended", [False, True])
def test_a_large_literal_stays_where_it_lies(client: Client, extended: bool) -> None:
    digits = b"\\x" + b"0f" * LARGE
    text = f"SELECT embed_image('{digits.decode()}', 'm', 'f') -- 끝"
    after = query(CALL)
    sent = [parse(text), bind(), execute(), SYNC] if extended else [query(text)]
    assert kinds(client.send(b"".join(sent) + after)) == ("12DCZI" if extended else "TDCZI") + "TDCZI"
    image, embedded = client.calls
    assert isinstance(image, EmbedImage) and image[1:] == ("m", "f")
    assert isinstance(image.image, Long) and image.image.view == digits
    assert embedded == EmbedText("a cat", "fake:2", None)


def test_a_large_value_stays_where_it_lies(client: Client) -> None:
    prepared = parse("SELECT embed_image($1, $2)")
    data, digits = bytes(range(256)) * 300, b"\\x" + b"0f" * LARGE
    client.send(prepared, bind(data, b"m", formats=[1, 0]), execute(), SYNC)
    client.send(prepared, bind(digits, b"m"), execute(), SYNC)
    binary, text = client.calls
    assert isinstance(binary, EmbedImage) and isinstance(binary.image, memoryview) and binary.image == data
    assert isinstance(text, EmbedImage) and isinstance(text.image, Long) and text.image.view == digits


@pytest.mark.parametrize("bound", [False, True])
def test_of_a_large_text_the_beginning_is_used(client: Client, bound: bool) -> None:
    text = "빨간 원피스 " * 20_000
    if bound:
        client.send(parse("SELECT embed_text($1, 'm')"), bind(text.encode()), execute(), SYNC)
    else:
        client.send(query(f"SELECT embed_text('{text}', 'm')"))
    (request,) = client.calls
    assert isinstance(request, EmbedText) and text.startswith(request.text)
    assert MAX_TEXT < len(request.text) < 5 * MAX_TEXT


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [(b"\xff" + b"a" * LARGE, "22021"), (b"a" * LARGE + b"\0a", "08P01"), (b"'", "42601"), (b"''" * LARGE, "54000")],
)
def test_what_is_wrong_with_a_large_text(client: Client, text: bytes, sqlstate: str) -> None:
    found = client.send(message("Q", b"SELECT embed_text('" + text + b" " * LARGE + b"', 'm')\0"))
    assert errors(found) == [sqlstate]
    assert kinds(client.send(query(CALL))) == "TDCZI"


def test_large_messages_share_a_budget_and_give_it_back() -> None:
    client = Client(budget=150_000)
    half_of_one = query("SELECT embed_text('" + "a" * 100_000 + "', 'm')")
    client.send(half_of_one[:70_000])
    other = Client()
    other.reader = PacketReader(client.budget, 1_000_000)
    other.session = Session(other.reader)
    assert errors(other.send(query("SELECT embed_text('" + "b" * 100_000 + "', 'm')"))) == ["53300"]
    assert kinds(client.send(half_of_one[70_000:])) == "TDCZI"
    assert client.budget.free == 150_000
    other.send(half_of_one[:70_000])
    assert client.budget.free < 150_000
    other.reader.close()
    assert client.budget.free == 150_000


def test_what_a_connection_keeps_is_bounded(client: Client) -> None:
    for number in range(MAX_KEPT):
        client.send(parse(CALL, name=f"s{number}"))
    assert errors(client.send(parse(CALL, name="one more"), SYNC)) == ["54000"]
    client.send(query("DISCARD ALL"))
    long = "SELECT embed_text('" + "a" * LARGE + "', 'm')"
    assert kinds(client.send(parse(long), bind(), execute(), SYNC)) == "12DCZI"
    assert errors(client.send(bind(), SYNC)) == ["26000"], "a large unnamed statement is not kept"
    for number in range(5):
        found = client.send(parse(long, name=f"long{number}"), SYNC)
    assert errors(found) == ["54000"]


@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_answers(data: st.DataObject) -> None:
    conversation = b"".join(
        (
            query("BEGIN"),
            parse("SELECT embed_text($1, $2)", name="s"),
            describe("S", "s"),
            bind(b"a", b"m", name="s"),
            execute(),
            SYNC,
            query("nonsense"),
            query("ROLLBACK; SELECT 1"),
        )
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(conversation)), max_size=6)))
    client = Client()
    found = b""
    for start, end in zip([0, *cuts], [*cuts, len(conversation)], strict=True):
        found += client.send(conversation[start:end])
    assert kinds(found) == "CZT1tT2DCZTEZECTDCZI"


MESSAGES = st.one_of(
    st.binary(max_size=60),
    st.builds(message, st.sampled_from("QPBDECSHXFdcfp"), st.binary(max_size=40)),
    st.sampled_from(
        [query(CALL), parse(CALL, "s"), bind(name="s"), bind(), execute(), SYNC, describe("S", "s"), parse("")]
    ),
)


@given(st.lists(MESSAGES, max_size=12))
def test_any_bytes_give_well_formed_answers(parts: list[bytes]) -> None:
    client = Client()
    for part in parts:
        replies(client.send(part))
        if client.gone:
            return
    client.reader.close()
    assert client.budget.free == 1_000_000
