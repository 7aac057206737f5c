"""One frozen value with every setting, read from the environment once, by the shell that starts the process."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

import platformdirs

from thanopg.errors import InvalidArgument

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ImageLimits:
    """What one image may cost before it is refused."""

    bytes: int = 64 * MEBIBYTE
    pixels: int = 100_000_000
    seconds: float = 20.0
    memory: int = 2048 * MEBIBYTE
    """address space of one decoding process, in bytes"""


@dataclass(frozen=True, kw_only=True)
class RemoteSettings:
    """Where else than below the image root pictures may come from, and how long one may take."""

    hosts: tuple[str, ...] = ("*",)
    """of http(s) URLs: names or patterns such as *.example.com; empty for none"""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """that may be used although they are not public: 10.0.0.0/8"""
    buckets: tuple[str, ...] = ()
    """of object stores, with a prefix or without: s3://shop-pictures/2026; the worker's own credentials read them"""
    proxy: str | None = None
    """http://host:port for all of http(s); that of the environment is never used by itself"""
    seconds: float = 30.0
    """for one picture, redirects and further tries included"""
    connections_per_host: int = 4


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that a process is told from outside."""

    home: Path
    image_root: Path
    database_url: str | None = None
    """None means the embedded server of `home`"""
    device: str | None = None
    """cuda, cuda:N, mps or cpu; None chooses"""
    limits: ImageLimits = field(default_factory=ImageLimits)
    remote: RemoteSettings = field(default_factory=RemoteSettings)

    @classmethod
    def from_environment(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        home: Path | None = None,
        image_root: Path | None = None,
        database_url: str | None = None,
        device: str | None = None,
    ) -> Settings:
        """Arguments win over `THANOPG_*` variables, which win over defaults. Raises InvalidArgument."""
        limits = ImageLimits(
            bytes=_positive(environ, "THANOPG_MAX_IMAGE_BYTES", ImageLimits.bytes),
            pixels=_positive(environ, "THANOPG_MAX_IMAGE_PIXELS", ImageLimits.pixels),
        )
        return cls(
            home=(home or Path(environ.get("THANOPG_HOME") or default_home())).expanduser().absolute(),
            image_root=(image_root or Path(environ.get("THANOPG_IMAGE_ROOT") or ".")).expanduser().absolute(),
            database_url=database_url or environ.get("THANOPG_DATABASE_URL") or None,
            device=device or environ.get("THANOPG_DEVICE") or None,
            limits=limits,
            remote=_remote(environ),
        )


def default_home() -> Path:
    """Per user; for root a place that the unprivileged user the server runs as can reach."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/thanopg")
    return Path(platformdirs.user_data_dir("thanopg"))


def user_cache() -> Path:
    """Per user: what is made again when it is not there; may be deleted at any time."""
    return Path(platformdirs.user_cache_dir("thanopg", appauthor=False))


def command_for(home: Path, verb: str) -> str:
    """How to call a verb for this home, as people can paste it."""
    return f"thanopg {verb}" if home == default_home() else f"thanopg --home {shlex.quote(str(home))} {verb}"


def _remote(environ: Mapping[str, str]) -> RemoteSettings:
    hosts = _words(environ, "THANOPG_ALLOW_HOSTS")
    return RemoteSettings(
        hosts=() if hosts == ("none",) else hosts or RemoteSettings.hosts,
        networks=tuple(map(_network, _words(environ, "THANOPG_ALLOW_NETWORKS"))),
        buckets=_words(environ, "THANOPG_ALLOW_BUCKETS"),
        proxy=environ.get("THANOPG_PROXY") or None,
        seconds=float(_positive(environ, "THANOPG_REMOTE_SECONDS", int(RemoteSettings.seconds))),
        connections_per_host=_positive(environ, "THANOPG_CONNECTIONS_PER_HOST", RemoteSettings.connections_per_host),
    )


def _words(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(environ.get(name, "").replace(",", " ").split())


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise InvalidArgument(f"THANOPG_ALLOW_NETWORKS must hold networks such as 10.0.0.0/8, not {text!r}") from error


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise InvalidArgument(f"{name} must be a positive whole number, not {text!r}")
    return int(text)
