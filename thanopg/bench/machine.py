"""Which machine this is: tells those apart that share a home directory."""

from __future__ import annotations

import platform

from thanopg.images.processors import processors


def machine() -> str:
    return f"{platform.node()}, {platform.machine()}, {processors()} processors"
