"""For tests of service_call: the session's own server plays the service, since both speak the same protocol."""

from __future__ import annotations

from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from thanopg.database.cluster import OWNER
from thanopg.database.server import EmbeddedServer
from thanopg.database.service_address import ServiceAddress


def own_address(server: EmbeddedServer) -> ServiceAddress:
    """The server itself, as its owner."""
    password = str(conninfo_to_dict(server.url)["password"])
    return ServiceAddress(host=str(server.socket_directory), port=5432, user=OWNER, password=password)


def call(connection: Connection, request: str) -> str | None:
    row = connection.execute("SELECT thanopg.service_call(%s)", [request]).fetchone()
    assert row is not None
    return row[0]
