"""The embedded server of a home for a notebook that names no database: joined when it runs, otherwise started.

It is started by the command line, and goes on when the notebook ends: other notebooks may have joined it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from thanopg.config import Settings
from thanopg.database.server import EmbeddedServer
from thanopg.errors import ProcessStartError

START_SECONDS = 300.0
STATUS_SECONDS = 30.0
SAID = re.compile(r"^(error|hint): (.+)$", re.MULTILINE)


def join_or_start(settings: Settings, *, say: Callable[[str], None]) -> tuple[str, Path | None]:
    """Its URL, and below which directory its worker looks for images: None when no worker says so.

    Raises ServerStartError, ProcessStartError.
    """
    server = EmbeddedServer(settings.home)
    if server.running:
        return server.url, _image_root(settings)
    say(f"starting PostgreSQL, embedding service and worker in {settings.home}; to stop them: thanopg down")
    done = _thanopg(
        ["up", "--detach", "--home", str(settings.home), "--image-root", str(settings.image_root)], START_SECONDS
    )
    if done.returncode != 0 or not server.running:
        said = dict(SAID.findall(done.stderr))
        raise ProcessStartError(
            said.get("error") or "the embedded server could not be started",
            hint=said.get("hint") or "see what it says: thanopg up",
        )
    return server.url, settings.image_root


def _image_root(settings: Settings) -> Path | None:
    done = _thanopg(["status", "--json", "--home", str(settings.home)], STATUS_SECONDS)
    try:
        root = json.loads(done.stdout)["stack"]["image_root"]
    except (ValueError, KeyError, TypeError):
        return None
    return Path(root) if root else None


def _thanopg(arguments: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [sys.executable, "-P", "-m", "thanopg", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ProcessStartError(f"thanopg {arguments[0]} took longer than {seconds:.0f} s") from error
