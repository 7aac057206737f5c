"""A machine without Hugging Face's hub, and what a download would have left in its cache."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants


@contextlib.contextmanager
def no_network(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[None]:
    """The hub is at a port that nobody answers on, its cache in an empty directory."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
        yield


def put_into_cache(cache: Path, name: str, revision: str, files: Path) -> Path:
    """Leaves a model's files where a download of `name` would have; returns the snapshot."""
    repository = cache / f"models--{name.replace('/', '--')}"
    snapshot = repository / "snapshots" / ("0" * 40)
    shutil.copytree(files, snapshot)
    reference = repository / "refs" / revision
    reference.parent.mkdir(parents=True)
    reference.write_text(snapshot.name)
    return snapshot
