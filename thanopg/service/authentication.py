"""The server's half of SCRAM-SHA-256 (RFC 5802, RFC 7677); scramp does the cryptography. Pure but for randomness.

An unknown user goes through the same exchange as a known one with a wrong password.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from scramp import ScramException, ScramMechanism

from thanopg.errors import InvalidPassword, ProtocolViolation

PLAIN: Final = "SCRAM-SHA-256"
BOUND: Final = "SCRAM-SHA-256-PLUS"
CHANNEL_BINDING: Final = "tls-server-end-point"
KEY_BYTES: Final = 32
SALT_BYTES: Final = 16

_Keys = tuple[bytes, bytes, bytes, int]
"""salt, stored key, server key, iterations"""


class Credentials:
    """One account. Holds the derived keys, not the password."""

    def __init__(self, user: str, password: str, *, certificate: str | None = None) -> None:
        """`certificate`: the server's, PEM; with it clients on TLS may bind the exchange to the channel."""
        self._user = user
        self._keys: _Keys = ScramMechanism(PLAIN).make_auth_info(password)
        self._secret = secrets.token_bytes(KEY_BYTES)
        self._certificate = certificate

    def exchange(self, user: str, *, tls: bool) -> Exchange:
        return Exchange(self._keys_of(user), self._certificate if tls else None, user)

    def _keys_of(self, user: str) -> _Keys:
        salt = hmac.digest(self._secret, user.encode(), "sha256")[:SALT_BYTES]
        unknown = (salt, secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES), self._keys[3])
        return self._keys if hmac.compare_digest(user.encode(), self._user.encode()) else unknown


class Exchange:
    """One attempt to log in: client-first → server-first, client-final → server-final. Raises InvalidPassword."""

    def __init__(self, keys: _Keys, certificate: str | None, user: str) -> None:
        self._keys = keys
        self._certificate = certificate
        self._user = user
        self.mechanisms = (BOUND, PLAIN) if certificate else (PLAIN,)

    def first(self, mechanism: str, client_first: bytes) -> bytes:
        if mechanism not in self.mechanisms:
            raise ProtocolViolation("client selected an invalid SASL authentication mechanism")
        text = _decode(client_first)
        channel = (CHANNEL_BINDING, self._certificate) if self._certificate else None
        self._server = ScramMechanism(mechanism).make_server(lambda _: self._keys, channel_binding=channel)
        header, separator, bare = text.partition(",n=,")  # libpq leaves the name blank, which scramp refuses
        try:
            if separator:
                self._server.set_client_first(f"{header},n=*,{bare}")
                self._server.client_first_bare = f"n=,{bare}"
            else:
                self._server.set_client_first(text)
            return bytes(self._server.get_server_first().encode())
        except ScramException as error:
            raise self._refused() from error

    def final(self, client_final: bytes) -> bytes:
        try:
            self._server.set_client_final(_decode(client_final))
            return bytes(self._server.get_server_final().encode())
        except ScramException as error:
            raise self._refused() from error

    def _refused(self) -> InvalidPassword:
        return InvalidPassword(f'password authentication failed for user "{self._user}"')


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolViolation("malformed SCRAM message") from None
