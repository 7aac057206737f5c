"""A connection until it is logged in, as bytes; the client's half of SCRAM is scramp's own."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient

from tests.unit.service_client import fields, message, replies, startup
from thanopg.service.authentication import Credentials
from thanopg.service.reader import Budget, PacketReader
from thanopg.service.startup import BackendKey, CancelCall, Event, LoggedIn, Refused, StartTls, Startup

SSL, GSS, CANCEL = 80877103, 80877104, 80877102
KEY = BackendKey(7, b"abcd")
CREDENTIALS = Credentials("thanopg", "비밀 secret")


class Client:
    def __init__(self, *, tls: bool = False) -> None:
        self.reader = PacketReader(Budget(0), 0)
        self.startup = Startup(self.reader, CREDENTIALS, KEY, tls=tls)

    def send(self, data: bytes) -> tuple[Event | None, bytes]:
        self.reader.feed(data)
        return self.startup.next(), self.startup.take()

    def log_in(self, user: str, password: str, **parameters: str) -> tuple[Event | None, bytes]:
        client = ScramClient(["SCRAM-SHA-256"], user, password)
        _, asked = self.send(startup(user=user, database="any", **parameters))
        assert replies(asked)[-1] == ("R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0")
        first = client.get_client_first().encode()
        _, challenge = self.send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
        ((_, body),) = replies(challenge)
        client.set_server_first(body[4:].decode())
        event, final = self.send(message("p", client.get_client_final().encode()))
        if isinstance(event, LoggedIn):
            ((_, body),) = replies(final)
            client.set_server_final(body[4:].decode())  # the server knew the password too
        return event, final


def test_login_and_what_the_client_is_told() -> None:
    client = Client()
    event, _ = client.log_in("thanopg", "비밀 secret", client_encoding="'utf-8'", application_name="psql")
    assert isinstance(event, LoggedIn)
    told = replies(client.startup.welcome())
    assert told[0] == ("R", b"\0\0\0\0")
    parameters = dict(body[:-1].split(b"\0") for kind, body in told if kind == "S")
    assert parameters[b"client_encoding"] == b"UTF8"
    assert parameters[b"standard_conforming_strings"] == b"on"
    assert parameters[b"integer_datetimes"] == b"on"
    assert parameters[b"application_name"] == b"psql"
    assert {b"server_version", b"DateStyle", b"TimeZone"} <= parameters.keys()
    assert told[-2:] == [("K", struct.pack("!I", 7) + b"abcd"), ("Z", b"I")]


@pytest.mark.parametrize(("user", "password"), [("thanopg", "wrong"), ("nobody", "비밀 secret")])
def test_wrong_password_and_unknown_user_look_the_same(user: str, password: str) -> None:
    event, found = Client().log_in(user, password)
    assert event == Refused(password=True)
    report = fields(replies(found)[0][1])
    assert (report["S"], report["C"]) == ("FATAL", "28P01")
    assert report["M"] == f'password authentication failed for user "{user}"'


def test_an_unknown_user_has_the_same_salt_every_time() -> None:
    salts = set()
    for _ in range(2):
        client = Client()
        client.send(startup(user="nobody"))
        first = b"n,,n=,r=nonce"
        _, found = client.send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first))
        ((_, body),) = replies(found)
        salts.add(body[4:].split(b",")[1])
    assert len(salts) == 1


def test_encryption_is_declined_or_begun() -> None:
    plain = Client()
    assert plain.send(startup(GSS)) == (None, b"N")
    assert plain.send(startup(SSL)) == (None, b"N")
    offering = Client(tls=True)
    assert offering.send(startup(GSS)) == (None, b"N")
    event, answer = offering.send(startup(SSL))
    assert isinstance(event, StartTls)
    assert answer == b"S"
    offering.startup.tls_started()
    assert offering.send(startup(SSL)) == (None, b"N")


def test_bytes_slipped_in_before_the_encryption_are_refused() -> None:
    event, found = Client(tls=True).send(startup(SSL) + startup(user="thanopg"))
    assert event == Refused(password=False)
    assert fields(replies(found)[0][1])["C"] == "08P01"


def test_a_cancel_request() -> None:
    packet = struct.pack("!IIi", 16, CANCEL, 7) + b"abcd"
    assert Client().send(packet) == (CancelCall(KEY), b"")


def test_newer_protocol_versions_are_negotiated_down() -> None:
    _, found = Client().send(startup(196610, user="thanopg", **{"_pq_.wish": "1"}))
    assert replies(found)[0] == ("v", struct.pack("!II", 0, 1) + b"_pq_.wish\0")
    assert replies(found)[1][0] == "R"


@pytest.mark.parametrize(
    "data",
    [
        startup(131072, user="thanopg"),
        startup(user=""),
        startup(database="x"),
        startup(user="thanopg", client_encoding="LATIN1"),
        startup(user="thanopg", replication="database"),
        struct.pack("!I", 10_001) + b"x",
        struct.pack("!I", 3),
        b"GET / HTTP/1.1\r\n\r\n",
        startup(GSS) * 4,
        struct.pack("!II", 12, 196608) + b"user",
    ],
)
def test_what_is_no_startup_is_refused(data: bytes) -> None:
    event, found = Client().send(data)
    assert event == Refused(password=False)
    assert fields(replies(found.lstrip(b"N"))[0][1])["S"] == "FATAL"


@pytest.mark.parametrize(
    "data",
    [
        message("Q", b"SELECT 1\0"),
        message("p", b"SCRAM-SHA-1\0\0\0\0\1x"),
        message("p", b"SCRAM-SHA-256\0\0\0\0\1x"),
        message("p", b"SCRAM-SHA-256\0\0\0\0\x63short"),
        message("p", b"SCRAM-SHA-256\0\0\0\0\2\xff\xfe"),
        message("p", b"x" * 5000),
        b"\0" * 9,
    ],
)
def test_what_is_no_password_message_is_refused(data: bytes) -> None:
    client = Client()
    client.send(startup(user="thanopg"))
    event, found = client.send(data)
    assert isinstance(event, Refused)
    assert fields(replies(found)[0][1])["S"] == "FATAL"


def test_going_away_to_ask_for_the_password() -> None:
    client = Client()
    client.send(startup(user="thanopg"))
    assert client.send(message("X")) == (Refused(password=False), b"")


@given(st.binary(max_size=100), st.booleans())
def test_any_bytes_are_refused_or_waited_for(data: bytes, after_startup: bool) -> None:
    client = Client()
    if after_startup:
        client.send(startup(user="thanopg"))
    event, _ = client.send(data)
    assert not isinstance(event, LoggedIn)
