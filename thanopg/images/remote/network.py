"""Connections that go to the address that was checked, and end with the picture's time.

TLS is verified against the host's name all the same: only where the bytes go is decided here.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2
from httpcore2 import SOCKET_OPTION

from thanopg.errors import ImageError
from thanopg.images.remote.address import AddressPolicy
from thanopg.images.remote.deadline import Deadline
from thanopg.images.remote.resolve import Resolve

CONNECT_SECONDS = 10.0


class GuardedNetwork(httpcore2.NetworkBackend):
    """For one request. `proxied`: the only peer is the proxy, and that one is allowed."""

    def __init__(self, policy: AddressPolicy, resolve: Resolve, deadline: Deadline, *, proxied: bool) -> None:
        self._deadline = deadline
        self._policy = policy
        self._resolve = resolve
        self._proxied = proxied
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Resolves once; goes to what it has checked. Raises ImageError for an address that is not allowed."""
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self._checked(host, port):
            seconds = min(CONNECT_SECONDS, time_left(self._deadline))
            try:
                return GuardedStream(self._sockets.connect_tcp(address, port, timeout=seconds), self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port, time_left(self._deadline))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"the name {host} was not resolved in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"the name {host} can't be resolved") from error
        allowed = [address for address in addresses if self._proxied or self._policy.allows(address)]
        if addresses and not allowed:
            raise ImageError("forbidden", f"{host} is not at a public address")
        return allowed


class GuardedStream(httpcore2.NetworkStream):
    """Every wait ends with the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=time_left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=time_left(self._deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = time_left(self._deadline)
        return GuardedStream(self._stream.start_tls(ssl_context, server_hostname, timeout=left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def time_left(deadline: Deadline) -> float:
    """Seconds, more than 0. Raises httpcore2.ReadTimeout when there are none."""
    left = deadline.left
    if left <= 0:
        raise httpcore2.ReadTimeout(f"it took longer than {deadline.seconds:g} s")
    return left
