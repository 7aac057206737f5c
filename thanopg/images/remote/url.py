"""An http or https URL taken apart once, so that what is checked is what is connected to."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from thanopg.errors import ImageError

LONGEST = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}
ODD = re.compile(r"[\x00-\x20\x7f\\]")
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
TARGET_SIGNS = "/%:@!$&'()*+,;=-._~?[]|"


@dataclass(frozen=True, kw_only=True)
class Url:
    """Where to ask, and what for."""

    scheme: str
    host: str
    """as ASCII: a name or a numeric address, without brackets"""
    port: int
    target: str
    """path and query, percent-encoded"""
    authorization: str | None = field(default=None, repr=False)
    """the value of the header, for this origin only"""

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def joined(self, location: str) -> Url:
        """Where a redirect leads: the user and password go along within one origin only. Raises ImageError."""
        base = f"{self.scheme}://{self.host_header}{self.target}"
        try:
            target = parse_url(urljoin(base, location))
        except ValueError as error:
            raise ImageError("unsupported", f"{self.host} redirects to what is no URL") from error
        if self.scheme == "https" and target.scheme == "http":
            raise ImageError("forbidden", f"{self.host} redirects from https to http")
        if target.authorization is None and target.origin == self.origin:
            return Url(**{**vars(target), "authorization": self.authorization})
        return target


def parse_url(text: str) -> Url:
    """Hosts may be international names, paths may hold any letters. Raises ImageError; says nothing of secrets."""
    if len(text) > LONGEST:
        raise ImageError("unsupported", f"expected a URL of at most {LONGEST} characters")
    if ODD.search(text):
        raise ImageError("unsupported", "a URL holds no spaces, backslashes or control characters; write %20 for one")
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise ImageError("unsupported", "expected a URL such as https://example.com/a.jpg") from error
    if scheme not in DEFAULT_PORTS:
        raise ImageError("unsupported", f"expected http:// or https://, not {scheme}://")
    if not host or port == 0:
        raise ImageError("unsupported", "the URL names no host")
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ImageError("unsupported", "the URL's host can't be a host name") from error
    return Url(
        scheme=scheme,
        host=ascii_host,
        port=port or DEFAULT_PORTS[scheme],
        target=_encoded(parts.path or "/") + (f"?{_encoded(parts.query)}" if parts.query else ""),
        authorization=_basic(parts.username, parts.password),
    )


def _encoded(text: str) -> str:
    """What is encoded already stays; a percent sign that encodes nothing is one."""
    return quote(LONE_PERCENT.sub("%25", text), safe=TARGET_SIGNS)


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    credentials = unquote_to_bytes(user) + b":" + unquote_to_bytes(password or "")
    return "Basic " + b64encode(credentials).decode("ascii")
