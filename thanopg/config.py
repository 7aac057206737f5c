"""One frozen value with every setting, read from the environment once, by the shell that starts the process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Settings:
    """Everything that a process is told from outside."""

    home: Path
    image_root: Path
    database_url: str | None = None
    """None means the embedded server of `home`"""
    device: str | None = None
    """cuda, cuda:N, mps or cpu; None chooses"""
    limits: ImageLimits = field(default_factory=ImageLimits)

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
        )


def default_home() -> Path:
    """Per user; for root a place that the unprivileged user the server runs as can reach."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/thanopg")
    return Path(platformdirs.user_data_dir("thanopg"))


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) == 0:
        raise InvalidArgument(f"{name} must be a positive whole number, not {text!r}")
    return int(text)
