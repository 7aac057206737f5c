"""Hugging Face's hub: the local cache first, the network only for what is missing, and quick to say there is none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

from thanopg.errors import ModelUnavailable
from thanopg.models.bases import SENTENCE_TRANSFORMERS, TRANSFORMERS

REACH_SECONDS = 5.0

Loaded = TypeVar("Loaded")


def from_cache_or_network(load: Callable[[], Loaded], *, source: str) -> Loaded:
    """Runs `load` on cached files alone and, only if some are missing and the hub answers, with downloads.

    Files already here are thus never exchanged under a registered fingerprint, and a machine without a network
    does not wait for retries. Raises ModelUnavailable when files are missing and can't be downloaded.
    """
    try:
        with _offline():
            return load()
    except Exception as error:
        if not _says_missing(error):
            raise
        missing = error
    if constants.is_offline_mode():
        raise _unavailable(source, "not in the local cache, and the hub is switched off by HF_HUB_OFFLINE") from missing
    if not _hub_answers():
        raise _unavailable(source, f"not in the local cache, and {constants.ENDPOINT} can't be reached") from missing
    return load()


def _unavailable(source: str, why: str) -> ModelUnavailable:
    scheme = next((each for each in (TRANSFORMERS, SENTENCE_TRANSFORMERS) if source.startswith(each)), "local-dir:")
    return ModelUnavailable(
        f"the weights of {source} are {why}",
        hint=f"download them once where there is a network: python -m thanopg.models.describe {source}; "
        f"copy that cache here (HF_HOME), or give a directory: {scheme}/path",
    )


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _says_missing(error: BaseException) -> bool:
    """open_clip and transformers wrap the hub's errors, some of them in text only."""
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen)
        if isinstance(seen, LocalEntryNotFoundError | OfflineModeIsEnabled):
            return True
        if "Failed to download" in text or "offline mode" in text or "couldn't connect to" in text:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _hub_answers() -> bool:
    """One request without the hub's own retries; proxies and mirrors from its configuration."""
    try:
        huggingface_hub.get_session().head(constants.ENDPOINT, timeout=REACH_SECONDS)
    except Exception:  # whatever its HTTP library of the day raises: no answer is no answer
        return False
    return True
