"""Which addresses may be asked, and how URLs are read."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from thanopg.errors import ImageError
from thanopg.images.remote.address import AddressPolicy
from thanopg.images.remote.url import Url, parse_url

PUBLIC = AddressPolicy(("*",), ())


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert PUBLIC.allows(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *(
            "::",
            "::1",
            "fe80::1",
            "fe80::1%lo",
            "fc00::1",
            "fd00:ec2::254",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "100::1",
        ),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
        *("2002:7f00:1::", "2002:808:808::", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808", "64:ff9b:1::1", "2001:0:1::1"),
        *("", "localhost", "1.2.3", "not an address"),
    ],
)
def test_everything_else_is_refused(address: str) -> None:
    assert not PUBLIC.allows(address)


def test_networks_open_what_they_name_and_nothing_behind_it() -> None:
    policy = AddressPolicy(("*",), (ip_network("10.0.0.0/8"), ip_network("64:ff9b::/96"), ip_network("::1/128")))
    assert policy.allows("10.1.2.3") and policy.allows("::1") and policy.allows("64:ff9b::808:808")
    assert policy.allows("64:ff9b::a01:203")  # 10.1.2.3, which is allowed by itself
    for address in ("192.168.1.1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "::ffff:10.1.2.3"):
        assert not policy.allows(address)


def test_host_patterns() -> None:
    policy = AddressPolicy(("img.example.com", "*.cdn.example"), ())
    assert policy.allows_host("IMG.example.com") and policy.allows_host("img.example.com.")
    assert policy.allows_host("a.b.cdn.example")
    for host in ("example.com", "img.example.com.evil.org", "cdn.example", "evilcdn.example"):
        assert not policy.allows_host(host)


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("http://a.example", "a.example", 80, "/"),
        ("HTTPS://A.Example:8443/x?y=1#z", "a.example", 8443, "/x?y=1"),
        ("http://a.example/여름/빨간 원피스.jpg".replace(" ", "%20"), "a.example", 80, None),
        ("http://[::1]:8/x", "::1", 8, "/x"),
        ("https://한글.kr/a", "xn--bj0bj06e.kr", 443, "/a"),
        ("http://a.example/50%off%20x", "a.example", 80, "/50%25off%20x"),
    ],
)
def test_urls(text: str, host: str, port: int, target: str | None) -> None:
    url = parse_url(text)
    assert (url.host, url.port) == (host, port)
    assert url.target == (target or "/%EC%97%AC%EB%A6%84/%EB%B9%A8%EA%B0%84%20%EC%9B%90%ED%94%BC%EC%8A%A4.jpg")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "http://",
            "http:///x",
            "http://a:b@",
            "http://a:99999/",
            "http://a:0/",
            "http://[::1/",
            "http://a b/",
            "ftp://a/",
        ),
        *("http://a.example\\@b.example/", "http://a.example/\r\nHost: b", "http://a/\t", "http://" + "a" * 9000),
    ],
)
def test_broken_urls_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ImageError) as caught:
        parse_url(text)
    assert caught.value.fault == "unsupported"
    assert len(caught.value.message) < 100


def test_user_and_password_stay_with_their_origin() -> None:
    url = parse_url("https://me:p%40ss@a.example/x")
    assert url.authorization == "Basic bWU6cEBzcw=="
    assert "Basic" not in repr(url)
    assert url.joined("/y").authorization == url.authorization
    for elsewhere in ("https://b.example/y", "//b.example/y", "https://a.example:444/y", "https://a.example.evil.org/"):
        assert url.joined(elsewhere).authorization is None
    with pytest.raises(ImageError):
        url.joined("http://a.example/y")


def test_a_redirect_is_read_like_any_other_url() -> None:
    url = Url(scheme="http", host="a.example", port=80, target="/dir/x")
    assert url.joined("y").target == "/dir/y"
    assert url.joined("//b.example/y").host == "b.example"
    for location in ("file:///etc/passwd", "gopher://a/", "s3://bucket/key", "data:,x", "http://a b/"):
        with pytest.raises(ImageError):
            url.joined(location)
