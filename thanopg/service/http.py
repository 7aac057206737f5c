"""GET /metrics and /healthz over plain HTTP/1, one request per connection, on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST

from thanopg.service.listening import start_error

MAX_HEAD: Final = 8192
MAX_CLIENTS: Final = 32
SECONDS: Final = 5.0


class HttpServer:
    """`page` gives the metrics, `health` what /healthz says."""

    def __init__(self, page: Callable[[], bytes], health: Callable[[], dict[str, Any]]) -> None:
        self._page = page
        self._health = health
        self._clients = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> None:
        """Raises ServiceStartError."""
        try:
            self._server = await asyncio.start_server(self._client, host, port, limit=MAX_HEAD)
        except OSError as error:
            raise start_error(f"{host} port {port}", error) from error

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients <= MAX_CLIENTS:
                async with asyncio.timeout(SECONDS):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head))
                    await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._clients -= 1
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), SECONDS)

    def _answer(self, head: bytes) -> bytes:
        parts = head.split(b"\r\n", 1)[0].split(b" ")
        if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
            return _response("400 Bad Request", "text/plain", b"bad request\n")
        method, path = parts[0], parts[1].split(b"?", 1)[0]
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "text/plain", b"only GET\n")
        if path == b"/metrics":
            response = _response("200 OK", CONTENT_TYPE_LATEST, self._page())
        elif path == b"/healthz":
            health = self._health()
            status = "200 OK" if health["status"] == "ok" else "503 Service Unavailable"
            response = _response(status, "application/json", json.dumps(health, ensure_ascii=False).encode() + b"\n")
        else:
            response = _response("404 Not Found", "text/plain", b"/metrics or /healthz\n")
        return response if method == b"GET" else response[: response.index(b"\r\n\r\n") + 4]


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode("ascii") + body
