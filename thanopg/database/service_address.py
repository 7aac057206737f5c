"""Where the embedding service listens, as the database is told."""

from __future__ import annotations

from dataclasses import dataclass, field

SERVICE_PORT = 5433
SERVICE_USER = "thanopg_service"


@dataclass(frozen=True, kw_only=True)
class ServiceAddress:
    """`host` is a name, an address, or the directory of a Unix socket called `.s.PGSQL.<port>`."""

    host: str
    port: int = SERVICE_PORT
    user: str = SERVICE_USER
    password: str = field(repr=False)
