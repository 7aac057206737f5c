"""An HTTP server of our own that can say anything at all, and knows what it was asked."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

Answer = Callable[[socket.socket, "HostileServer"], None]
"""gets the connection after the request's head was read; returning keeps the connection open for the next request"""


class HostileServer:
    """`with HostileServer() as server: server.answers["/path"] = …`; bound to loopback only."""

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(
            (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self._tls = tls
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        """heads, in the order in which they came"""
        self.accepted = 0

    def __enter__(self) -> HostileServer:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)  # wakes who reads from it
        for thread in self._threads:
            thread.join(10)

    @property
    def closed(self) -> threading.Event:
        return self._closed

    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head in self.requests]

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._connections.append(connection)
            with connection:
                while (head := _read_head(connection)) is not None:
                    self.requests.append(head)
                    path = head.split(" ")[1].partition("?")[0]
                    self.answers[path](connection, self)
        except OSError:
            return


def _read_head(connection: socket.socket) -> str | None:
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        data += byte
    return data.decode("latin-1")


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A well-formed answer."""
    lines = [f"HTTP/1.1 {status} X", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    lines.append(f"Content-Length: {len(body)}")
    return sends("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def versioned(bodies: Callable[[], bytes], etag: Callable[[bytes], str | None]) -> Answer:
    """As a good server does it: 304 for who knows the ETag of the body of now, else the body with it."""

    def answer(connection: socket.socket, server: HostileServer) -> None:
        body = bodies()
        tag = etag(body)
        if tag is not None and f"if-none-match: {tag}\r\n" in server.requests[-1].lower():
            connection.sendall(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode())
        else:
            says(200, body, **({"ETag": tag} if tag is not None else {}))(connection, server)

    return answer


def sends(raw: bytes, *, then_close: bool = False) -> Answer:
    """Exactly these bytes."""

    def answer(connection: socket.socket, server: HostileServer) -> None:
        connection.sendall(raw)
        if then_close:
            connection.shutdown(socket.SHUT_RDWR)

    return answer


def drips(head: bytes, drop: bytes, every: float) -> Answer:
    """A head and then one drop after another, for ever: no single wait is long."""

    def answer(connection: socket.socket, server: HostileServer) -> None:
        connection.sendall(head)
        while not server.closed.wait(every):
            connection.sendall(drop)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """One after the other, the last one from then on."""
    left = list(answers)

    def answer(connection: socket.socket, server: HostileServer) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(connection, server)

    return answer


def resets(connection: socket.socket, server: HostileServer) -> None:
    """Cuts the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
