"""Pictures from servers that behave, and from servers that do not."""

from __future__ import annotations

import gzip
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.hostile_server import HostileServer, drips, in_turn, resets, says, sends, versioned
from thanopg.config import ImageLimits, RemoteSettings, Settings
from thanopg.errors import ImageError, InvalidArgument
from thanopg.images.remote.http import HttpReader
from thanopg.images.remote.reader import RemoteReader
from thanopg.images.source import ImageReader

PICTURE = b"bytes that need not be a picture"
LIMITS = ImageLimits(bytes=100_000)
LOOPBACK = RemoteSettings(networks=(ip_network("127.0.0.1/32"),), seconds=10)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
METADATA = "169.254.169.254"
FIXTURES = Path(__file__).parents[1] / "acceptance" / "service_fixtures"


@dataclass
class Names:
    """A resolver whose answers the test decides, one after the other; the last one stays."""

    answers: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, port: int, seconds: float) -> Sequence[str]:
        self.asked.append(host)
        answers = self.answers.get(host, [["127.0.0.1"]])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as running:
        running.answers["/ok"] = says(200, PICTURE, Last_Modified="Tue, 14 Nov 2023 22:13:20 GMT")
        yield running


@pytest.fixture
def reader(names: Names) -> HttpReader:
    return HttpReader(LOOPBACK, LIMITS, resolve=names)


@pytest.fixture
def url(server: HostileServer) -> Callable[..., str]:
    return lambda path, host="shop.example": f"http://{host}:{server.port}{path}"


Address = Callable[..., str]


def fault_of(reader: HttpReader, url: str) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        reader.fetch(url)
    return caught.value.fault, caught.value.message


def test_a_picture_with_its_time(reader: HttpReader, server: HostileServer, url: Address, names: Names) -> None:
    fetched = reader.fetch(url("/ok?size=1"))
    assert fetched.data == PICTURE
    assert fetched.modified == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (names.asked, server.paths()) == (["shop.example"], ["/ok?size=1"])
    assert f"Host: shop.example:{server.port}" in server.requests[0]
    assert "Accept-Encoding: identity" in server.requests[0]
    assert "Authorization" not in server.requests[0] and "Cookie" not in server.requests[0]


ETAG = '"33a64df5"'


def conditions(server: HostileServer) -> list[str | None]:
    """What each request said it knows."""
    found = [re.search(r"^if-none-match: (.*)\r$", head, re.MULTILINE | re.IGNORECASE) for head in server.requests]
    return [match and match[1] for match in found]


def test_what_is_known_by_its_etag_is_not_sent_again(reader: HttpReader, server: HostileServer, url: Address) -> None:
    now = [PICTURE]
    server.answers["/x"] = versioned(lambda: now[0], lambda body: ETAG if body == PICTURE else '"changed"')
    first = reader.fetch(url("/x"))
    assert (first.data, first.etag) == (PICTURE, ETAG)
    assert reader.fetch_changed(url("/x"), ETAG) is None
    now[0] = b"another"
    again = reader.fetch_changed(url("/x"), ETAG)
    assert again is not None and (again.data, again.etag) == (b"another", '"changed"')
    assert conditions(server) == [None, ETAG, ETAG]


@pytest.mark.parametrize("etag", ['W/"33a64df5"', "33a64df5", '""', '"a b"', f'"{"a" * 300}"', '"a\x7f"', '"ä"', ""])
def test_an_etag_that_does_not_stand_for_the_bytes_is_none(
    reader: HttpReader, server: HostileServer, url: Address, etag: str
) -> None:
    server.answers["/x"] = sends(
        f"HTTP/1.1 200 X\r\nETag: {etag}\r\nContent-Length: 2\r\n\r\nok".encode("latin-1"), then_close=True
    )
    assert reader.fetch(url("/x")).etag is None


def test_an_etag_stays_between_two(reader: HttpReader, server: HostileServer, url: Address) -> None:
    """What stands behind a redirect has another's ETag, and nobody but its server is told what we know."""
    server.answers["/from"] = says(302, Location=f"http://other.example:{server.port}/to")
    server.answers["/to"] = says(200, PICTURE, ETag=ETAG)
    assert reader.fetch(url("/from")).etag is None
    fetched = reader.fetch_changed(url("/from"), ETAG)
    assert fetched is not None and (fetched.data, fetched.etag) == (PICTURE, None)
    assert conditions(server) == [None, None, ETAG, None]


def test_faults_of_who_was_asked_for_a_change(reader: HttpReader, server: HostileServer, url: Address) -> None:
    server.answers["/gone"] = says(404)
    server.answers["/wrong"] = sends(b"HTTP/1.1 304 Not Modified\r\n\r\n", then_close=True)
    server.answers["/later"] = in_turn(says(503), sends(b"HTTP/1.1 304 Not Modified\r\n\r\n", then_close=True))
    with pytest.raises(ImageError) as caught:
        reader.fetch_changed(url("/gone"), ETAG)
    assert caught.value.fault == "not_found"
    assert fault_of(reader, url("/wrong")) == ("unsupported", "expected status 200 from shop.example, not 304")
    assert reader.fetch_changed(url("/later"), ETAG) is None


def test_the_image_reader_follows_urls(server: HostileServer, tmp_path: Path) -> None:
    address = f"HTTP://127.0.0.1:{server.port}/ok"
    image = ImageReader(tmp_path, LIMITS, remote=RemoteReader(LOOPBACK, LIMITS)).read(address)
    assert (image.data, image.size) == (PICTURE, len(PICTURE))
    with pytest.raises(ImageError):
        ImageReader(tmp_path, LIMITS).read(address)


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (says(404), "not_found"),
        (says(410), "not_found"),
        (says(401, WWW_Authenticate="Basic"), "forbidden"),
        (says(403), "forbidden"),
        (says(204), "unsupported"),
        (says(400), "unsupported"),
        (says(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip"), "unsupported"),
        (says(200, PICTURE, Content_Encoding="br"), "unsupported"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"), "too_large"),
        (drips(b"HTTP/1.1 200 OK\r\n\r\n", bytes(50_000), 0.001), "too_large"),
        (drips(CHUNKED, b"fff\r\n" + bytes(4095) + b"\r\n", 0.001), "too_large"),
    ],
)
def test_what_is_permanent_is_asked_for_once(
    reader: HttpReader, server: HostileServer, url: Address, head: object, fault: str
) -> None:
    server.answers["/x"] = head  # type: ignore[assignment]  # an Answer, which parametrize does not know
    assert fault_of(reader, url("/x"))[0] == fault
    assert len(server.requests) == 1
    assert ImageError(fault, "").permanent  # type: ignore[arg-type]  # one of them


@pytest.mark.parametrize(
    "answer",
    [
        says(503),
        says(500),
        says(429, Retry_After="0"),
        resets,
        sends(b"", then_close=True),
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", then_close=True),
        sends(CHUNKED + b"5\r\nshort\r\n", then_close=True),
        sends(b"SSH-2.0-OpenSSH_9.6\r\n", then_close=True),
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", then_close=True),
        sends(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", then_close=True),
    ],
)
def test_what_may_pass_is_tried_again(reader: HttpReader, server: HostileServer, url: Address, answer: object) -> None:
    server.answers["/x"] = in_turn(answer, server.answers["/ok"])  # type: ignore[arg-type]  # as above
    assert reader.fetch(url("/x")).data == PICTURE
    assert len(server.requests) == 2


def test_what_does_not_pass_is_given_up_after_three_tries(
    reader: HttpReader, server: HostileServer, url: Address
) -> None:
    server.answers["/x"] = says(503)
    fault, message = fault_of(reader, url("/x?secret=1"))
    assert (fault, message) == ("unreachable", "shop.example answered 503")
    assert len(server.requests) == 3
    assert not ImageError("unreachable", "").permanent


def test_more_bytes_than_announced_belong_to_nobody(reader: HttpReader, server: HostileServer, url: Address) -> None:
    server.answers["/x"] = sends(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshortHTTP/1.1 200 OK\r\n\r\nevil")
    assert reader.fetch(url("/x")).data == b"short"
    assert reader.fetch(url("/ok")).data == PICTURE


@pytest.mark.parametrize("after", ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)])
def test_a_host_that_asks_for_a_long_pause_gets_it(
    reader: HttpReader, server: HostileServer, url: Address, after: str
) -> None:
    server.answers["/x"] = says(429, Retry_After=after)
    assert fault_of(reader, url("/x"))[0] == "unreachable"
    fault, message = fault_of(reader, url("/ok"))
    assert (fault, "asked for a pause" in message) == ("unreachable", True)
    assert server.paths() == ["/x"]
    assert reader.fetch(url("/ok", "other.example")).data == PICTURE


@pytest.mark.parametrize(
    "answer",
    [
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"x", 0.02),
        drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.02),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        drips(b"", b"", 60),
    ],
)
def test_a_slow_drip_ends_with_the_picture_s_time(
    names: Names, server: HostileServer, url: Address, answer: object
) -> None:
    server.answers["/x"] = answer  # type: ignore[assignment]  # as above
    fault, message = fault_of(HttpReader(replace(LOOPBACK, seconds=0.3), LIMITS, resolve=names), url("/x"))
    assert (fault, message) == ("unreachable", "shop.example did not send it within 0.3 s")


def test_redirects_are_followed_and_credentials_stay(reader: HttpReader, server: HostileServer, url: Address) -> None:
    server.answers["/a"] = says(302, Location="/b")
    server.answers["/b"] = says(301, Location=url("/ok", "cdn.example"))
    assert reader.fetch(url("/a", "me:secret@shop.example")).data == PICTURE
    assert ["Authorization: Basic" in head for head in server.requests] == [True, True, False]


@pytest.mark.parametrize(
    "location",
    [
        f"http://{METADATA}/latest/meta-data/",
        f"http://[::ffff:{METADATA}]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://2852039166/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://127.0.0.2:{port}/",
        "http://[::1]:{port}/",
        "http://0.0.0.0:{port}/",
        "http://inside.example:{port}/",
    ],
)
def test_a_redirect_inside_is_refused_before_anybody_is_asked(
    server: HostileServer, url: Address, location: str
) -> None:
    from thanopg.images.remote.resolve import resolve_name

    def resolve(host: str, port: int, seconds: float) -> Sequence[str]:
        fixed = {"shop.example": ["127.0.0.1"], "inside.example": ["10.0.0.1", "127.0.0.2", METADATA]}
        return fixed.get(host) or resolve_name(host, port, seconds)

    server.answers["/a"] = says(302, Location=location.format(port=server.port))
    fault, message = fault_of(HttpReader(LOOPBACK, LIMITS, resolve=resolve), url("/a"))
    assert (fault, message.endswith("is not at a public address")) == ("forbidden", True)
    assert server.accepted == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://x/", "s3://bucket/key", "data:,x", ""])
def test_a_redirect_to_another_kind_of_url_is_refused(
    reader: HttpReader, server: HostileServer, url: Address, location: str
) -> None:
    server.answers["/a"] = says(302, Location=location)
    assert fault_of(reader, url("/a"))[0] == "unsupported"


def test_redirects_end(reader: HttpReader, server: HostileServer, url: Address) -> None:
    server.answers["/a"] = says(302, Location="/a")
    assert fault_of(reader, url("/a")) == ("unsupported", "shop.example redirects more than 5 times")
    assert len(server.requests) == 6


def test_the_answer_that_was_checked_is_the_one_that_is_used(server: HostileServer, names: Names) -> None:
    """The name's second answer is another: it must be asked for once per connection, and checked every time."""
    with HostileServer("127.0.0.2") as inside:
        inside.answers["/ok"] = server.answers["/go"] = says(302, Location="/ok", Connection="close")
        names.answers["shop.example"] = [["127.0.0.1"], ["127.0.0.2"]]
        reader = HttpReader(LOOPBACK, LIMITS, resolve=names)
        assert fault_of(reader, f"http://shop.example:{server.port}/go")[0] == "forbidden"
        assert names.asked == ["shop.example", "shop.example"]
        assert (server.accepted, inside.accepted) == (1, 0)


def test_only_the_allowed_of_several_addresses_is_used(server: HostileServer, names: Names, url: Address) -> None:
    names.answers["shop.example"] = [["127.0.0.2", "10.0.0.1", "127.0.0.1"]]
    assert HttpReader(LOOPBACK, LIMITS, resolve=names).fetch(url("/ok")).data == PICTURE


def test_hosts_that_are_not_named_are_not_even_resolved(server: HostileServer, names: Names, url: Address) -> None:
    reader = HttpReader(replace(LOOPBACK, hosts=("*.example",)), LIMITS, resolve=names)
    assert reader.fetch(url("/ok")).data == PICTURE
    server.answers["/a"] = says(302, Location="http://evil.test/")
    for address in (url("/a"), "http://evil.test/", "http://10.0.0.1/"):
        assert fault_of(reader, address)[0] == "forbidden"
    assert set(names.asked) == {"shop.example"}


def test_unknown_names_and_closed_ports_may_pass(names: Names) -> None:
    def unknown(host: str, port: int, seconds: float) -> Sequence[str]:
        raise OSError("no such name")

    assert fault_of(HttpReader(LOOPBACK, LIMITS, resolve=unknown), "http://a.example/")[0] == "unreachable"
    with HostileServer() as gone:
        port = gone.port
    assert fault_of(HttpReader(LOOPBACK, LIMITS, resolve=names), f"http://a.example:{port}/")[0] == "unreachable"


def test_the_certificate_is_that_of_the_name(names: Names) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(FIXTURES / "localhost.pem", FIXTURES / "localhost.key")
    with HostileServer(tls=theirs) as server:
        server.answers["/ok"] = says(200, PICTURE)
        trusting = HttpReader(
            LOOPBACK,
            LIMITS,
            resolve=names,
            make_ssl_context=lambda: ssl.create_default_context(cafile=FIXTURES / "localhost.pem"),
        )
        assert trusting.fetch(f"https://localhost:{server.port}/ok").data == PICTURE
        distrusted = (
            (trusting, f"https://shop.example:{server.port}/ok"),  # the same address, another name
            (HttpReader(LOOPBACK, LIMITS, resolve=names), f"https://localhost:{server.port}/ok"),
        )
        for reader, address in distrusted:
            fault, message = fault_of(reader, address)
            assert (fault, "certificate" in message) == ("unreachable", True)
        assert len(server.requests) == 1


def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, reader: HttpReader, server: HostileServer, url: Address
) -> None:
    with HostileServer() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert reader.fetch(url("/ok")).data == PICTURE
        assert proxy.accepted == 0


def test_a_proxy_that_is_named_is_used_for_everything(names: Names) -> None:
    with HostileServer() as proxy:
        proxy.answers["http://far.example:80/a.jpg"] = says(200, PICTURE)
        settings = replace(LOOPBACK, networks=(), proxy=f"http://127.0.0.1:{proxy.port}")
        reader = HttpReader(settings, LIMITS, resolve=names)
        assert reader.fetch("http://far.example/a.jpg").data == PICTURE
        assert names.asked == ["127.0.0.1"]
        assert fault_of(reader, f"http://{METADATA}/")[0] == "forbidden"


def test_one_host_is_asked_by_few_at_once(server: HostileServer, names: Names, url: Address) -> None:
    together = threading.Barrier(2)
    most, now, lock = [0], [0], threading.Lock()

    def count(connection: object, running: HostileServer) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait(10)  # two are there at once …
        with lock:
            now[0] -= 1
        server.answers["/ok"](connection, running)  # type: ignore[arg-type]  # a socket

    server.answers["/x"] = count
    reader = HttpReader(replace(LOOPBACK, connections_per_host=2), LIMITS, resolve=names)
    threads = [threading.Thread(target=reader.fetch, args=(url("/x"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(server.requests), most[0], server.accepted) == (8, 2, 8)  # … and never three


def test_settings_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "THANOPG_ALLOW_HOSTS": "img.example, *.cdn.example",
        "THANOPG_ALLOW_NETWORKS": "10.0.0.0/8 fd00::/8",
        "THANOPG_ALLOW_BUCKETS": "s3://shop/pictures",
        "THANOPG_REMOTE_SECONDS": "5",
    }
    remote = Settings.from_environment(environ, home=tmp_path).remote
    assert remote.hosts == ("img.example", "*.cdn.example")
    assert [str(network) for network in remote.networks] == ["10.0.0.0/8", "fd00::/8"]
    assert (remote.buckets, remote.seconds, remote.proxy) == (("s3://shop/pictures",), 5.0, None)
    assert Settings.from_environment({"THANOPG_ALLOW_HOSTS": "none"}, home=tmp_path).remote.hosts == ()
    with pytest.raises(InvalidArgument):
        Settings.from_environment({"THANOPG_ALLOW_NETWORKS": "10.0.0.1/8"}, home=tmp_path)
