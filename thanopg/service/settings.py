"""What one embedding service is told: where it listens, who may call, and every bound it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from thanopg.config import MEBIBYTE, ImageLimits

MESSAGE_SLACK = MEBIBYTE
"""room beside an image's hexadecimal digits: the statement around it"""


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Sizes are bytes, times are seconds."""

    user: str
    password: str = field(repr=False)
    unix_socket_dir: Path | None = None
    """holds the socket `.s.PGSQL.<port>`; whoever may enter the directory may try to log in"""
    host: str | None = None
    """address to listen on with TCP; None: no TCP"""
    port: int = 5433
    """0 with TCP alone: any free one"""
    http_host: str = "127.0.0.1"
    http_port: int | None = None
    """/metrics and /healthz; None: neither; 0: any free one"""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    preload: tuple[str, ...] = ()
    """models to load before the first call"""
    limits: ImageLimits = field(default_factory=ImageLimits)

    max_connections: int = 2000
    max_logging_in: int = 1000
    """connections that have not logged in yet; beyond it the oldest of them goes"""
    max_waiting: int = 1024
    """texts and images waiting for a model; beyond it calls are refused"""
    max_batch: int = 64
    """texts in one forward pass"""
    max_image_batch: int = 8
    """images in one forward pass: they take long, and texts wait for them"""
    max_decoding: int = 64
    """images being decoded or waiting for it"""
    cache_bytes: int = 64 * MEBIBYTE
    message_budget: int = 256 * MEBIBYTE
    """large messages of all connections together"""

    login_seconds: float = 10.0
    failed_login_seconds: float = 0.25
    call_seconds: float = 60.0
    message_seconds: float = 60.0
    """for one message to arrive, once begun"""
    write_seconds: float = 30.0
    """for a client to take its answers"""
    shutdown_seconds: float = 10.0
    """for calls under way to end, when the service is told to stop"""

    @property
    def max_message(self) -> int:
        return 2 * self.limits.bytes + MESSAGE_SLACK
