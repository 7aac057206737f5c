"""Pictures from http:// and https://.

Redirects are followed by hand and every step is checked like the first; nothing is believed about lengths; what may
pass is tried again a few times within the picture's time, what will not is not. Error texts name the host, never path,
query or password.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

import httpcore2

from thanopg.config import ImageLimits, RemoteSettings
from thanopg.errors import ImageError
from thanopg.images.remote.address import AddressPolicy
from thanopg.images.remote.deadline import Deadline
from thanopg.images.remote.fetched import Fetched, strong_etag
from thanopg.images.remote.hosts import Hosts, Paused
from thanopg.images.remote.network import GuardedNetwork
from thanopg.images.remote.resolve import Resolve, resolve_name
from thanopg.images.remote.url import Url, parse_url

MOST_REDIRECTS = 5
TRIES = 3
FIRST_BACKOFF = 0.2
BACKOFF_FACTOR = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_MODIFIED = 304
GONE = frozenset({404, 410})
TRANSIENT = frozenset({407, 408, 421, 425, 429, 500, 502, 503, 504})
ASKS_TO_WAIT = frozenset({429, 503})
ACCEPT = b"image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff;q=0.9,*/*;q=0.5"


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _Passing(Exception):
    """May go better the next time; `wait`: seconds that the server asked for."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class HttpReader:
    """Fetches pictures; safe for many threads."""

    def __init__(
        self,
        settings: RemoteSettings,
        limits: ImageLimits,
        *,
        resolve: Resolve = resolve_name,
        make_ssl_context: Callable[[], ssl.SSLContext] = httpcore2.default_ssl_context,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._policy = AddressPolicy(settings.hosts, settings.networks)
        self._hosts = Hosts(per_host=settings.connections_per_host)
        self._resolve = resolve
        self._ssl_context = make_ssl_context()

    def fetch(self, text: str) -> Fetched:
        """Raises ImageError: unsupported, forbidden, too_large, not_found; unreachable when it may pass."""
        fetched = self.fetch_changed(text, None)
        assert fetched is not None, "only who was asked with an ETag may say that nothing has changed"
        return fetched

    def fetch_changed(self, text: str, etag: str | None) -> Fetched | None:
        """The same, or None when the server says that it still has what it gave this ETag to.

        An ETag is a matter between one address and whoever asks there: it is neither taken from behind a redirect nor
        told there.
        """
        deadline = Deadline(self._settings.seconds)
        url = parse_url(text)
        for step in range(MOST_REDIRECTS + 1):
            asked = etag if step == 0 else None
            answer = self._ask_patiently(url, deadline, asked)
            if answer.status == NOT_MODIFIED and asked is not None:
                return None
            if answer.status not in REDIRECTS:
                return Fetched(
                    data=_picture(url, answer),
                    modified=_date(answer.headers.get("last-modified")),
                    etag=strong_etag(answer.headers.get("etag")) if step == 0 else None,
                )
            if step < MOST_REDIRECTS:
                url = url.joined(answer.headers.get("location", ""))
        raise ImageError("unsupported", f"{url.host} redirects more than {MOST_REDIRECTS} times")

    def _ask_patiently(self, url: Url, deadline: Deadline, etag: str | None) -> _Answer:
        self._check(url)
        for attempt in range(TRIES):
            try:
                return self._ask(url, deadline, etag)
            except Paused as paused:
                raise ImageError("unreachable", str(paused)) from paused
            except _Passing as passing:
                wait = passing.wait
                if wait is None:
                    wait = FIRST_BACKOFF * BACKOFF_FACTOR**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load
                else:
                    self._hosts.pause(url.origin, wait)
                if attempt + 1 == TRIES or wait >= deadline.left:
                    raise ImageError("unreachable", str(passing)) from passing
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _check(self, url: Url) -> None:
        if not self._policy.allows_host(url.host):
            raise ImageError("forbidden", f"{url.host} is not among the hosts that pictures may come from")
        if self._settings.proxy and _is_numeric(url.host) and not self._policy.allows(url.host):
            raise ImageError("forbidden", f"{url.host} is not a public address")  # names are the proxy's to judge

    def _ask(self, url: Url, deadline: Deadline, etag: str | None) -> _Answer:
        with (
            self._hosts.turn(url.origin, deadline),
            _faults(url, deadline),
            self._connections(deadline) as connections,
            connections.stream("GET", _address(url), headers=_headers(url, etag)) as response,
        ):
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            if response.status == 200:
                return _Answer(status=200, headers=headers, body=self._body(url, headers, response))
        if response.status in TRANSIENT:
            wait = _seconds(headers.get("retry-after")) if response.status in ASKS_TO_WAIT else None
            raise _Passing(f"{url.host} answered {response.status}", wait=wait)
        return _Answer(status=response.status, headers=headers, body=b"")

    def _connections(self, deadline: Deadline) -> httpcore2.ConnectionPool:
        proxy = self._settings.proxy
        network = GuardedNetwork(self._policy, self._resolve, deadline, proxied=proxy is not None)
        return httpcore2.ConnectionPool(
            ssl_context=self._ssl_context,
            proxy=httpcore2.Proxy(proxy) if proxy else None,
            max_connections=1,
            network_backend=network,
        )

    def _body(self, url: Url, headers: dict[str, str], response: httpcore2.Response) -> bytes:
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding not in ("identity", ""):
            raise ImageError("unsupported", f"{url.host} sent the picture compressed although that was not asked for")
        said = headers.get("content-length", "")
        if said.isdecimal() and int(said) > self._limits.bytes:
            raise self._too_large(f"not {int(said)}")
        parts: list[bytes] = []
        size = 0
        for part in response.iter_stream():
            size += len(part)
            if size > self._limits.bytes:
                raise self._too_large("and more came")
            parts.append(part)
        return b"".join(parts)

    def _too_large(self, came: str) -> ImageError:
        return ImageError("too_large", f"expected at most {self._limits.bytes} bytes, {came}")


@contextmanager
def _faults(url: Url, deadline: Deadline) -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        if deadline.left <= 0:
            raise ImageError("unreachable", f"{url.host} did not send it within {deadline.seconds:g} s") from error
        raise _Passing(f"{url.host} did not answer in time") from error
    except httpcore2.ProxyError as error:
        raise _Passing(f"the proxy refused to reach {url.host}") from error
    except httpcore2.ConnectError as error:
        if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in error.args):
            raise ImageError("unreachable", f"{url.host} has no certificate that can be trusted") from error
        raise _Passing(f"could not connect to {url.host}") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _Passing(f"{url.host} broke off, or did not speak HTTP") from error


def _address(url: Url) -> httpcore2.URL:
    return httpcore2.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)


def _headers(url: Url, etag: str | None) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"Host", url.host_header.encode()),
        (b"User-Agent", b"thanopg"),
        (b"Accept", ACCEPT),
        (b"Accept-Encoding", b"identity"),
        (b"Connection", b"close"),
    ]
    if etag is not None:
        headers.append((b"If-None-Match", etag.encode("ascii")))
    if url.authorization:
        headers.append((b"Authorization", url.authorization.encode()))
    return headers


def _picture(url: Url, answer: _Answer) -> bytes:
    if answer.status == 200:
        return answer.body
    if answer.status in GONE:
        raise ImageError("not_found", f"{url.host} answered {answer.status}")
    if answer.status in (401, 402, 403, 451):
        raise ImageError("forbidden", f"{url.host} answered {answer.status}")
    raise ImageError("unsupported", f"expected status 200 from {url.host}, not {answer.status}")


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _seconds(text: str | None) -> float | None:
    """Retry-After: a number of seconds or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    date = _date(text)
    return None if date is None else max(0.0, (date - datetime.now(UTC)).total_seconds())


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
