"""From `organisation/name@revision` or a path to a directory with a model's files in it, downloaded if need be."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from thanopg.errors import ModelUnavailable
from thanopg.models.hub import from_cache_or_network
from thanopg.models.stored import INDEX, TOKENIZERS, first_line, weight_files

WANTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
UNWANTED = ("onnx/*", "openvino/*", "original/*", "*consolidated*", "*.fp16.*", "*.bf16.*", "runs/*", "checkpoint-*/*")
"""the same weights in other forms"""


def find_directory(place: str, source: str) -> Path:
    """`place` is the source without its scheme. Raises ModelUnavailable."""
    if place.startswith("/"):
        if not Path(place).is_dir():
            raise ModelUnavailable(f"no such directory: {place}", hint="service and worker read it, each where it runs")
        return Path(place)
    name, _, revision = place.partition("@")
    try:
        return from_cache_or_network(lambda: _fetch(name, revision or None), source=source)
    except ModelUnavailable:
        raise
    except GatedRepoError as error:
        raise ModelUnavailable(
            f"the hub gives {name} only to those who accepted its terms",
            hint=f"accept them at {constants.ENDPOINT}/{name}, then, where service and worker run: hf auth login",
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ModelUnavailable(
            f"the hub has no model {place}", hint="is it written as there, and public? else: hf auth login"
        ) from error
    except Exception as error:  # the hub's library and those under it raise their own
        raise ModelUnavailable(f"{place} could not be downloaded: {first_line(error)}", hint="try again") from error


def _fetch(name: str, revision: str | None) -> Path:
    found = huggingface_hub.snapshot_download(
        name, revision=revision, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED)
    )
    directory = Path(found)
    if constants.is_offline_mode() and not _is_whole(directory):
        raise LocalEntryNotFoundError(f"only a part of {name} is in the local cache")
    return directory


def _is_whole(directory: Path) -> bool:
    """Other programs may have fetched some files only, a tokenizer perhaps."""
    parts = {file.parent for pattern in ("*.safetensors", INDEX) for file in directory.rglob(pattern)}
    tokenizers = [file for pattern in TOKENIZERS for file in directory.rglob(pattern)]
    try:
        return bool(parts and tokenizers) and all(weight_files(part) for part in parts)
    except ModelUnavailable:
        return False
