"""Which peers there are: what is installed for each, whose script runs it, and what weights it reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from thanopg.config import user_cache

DIRECTORY_VARIABLE = "THANOPG_PEERS"


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One other tool; `what` says how it is used, as a line of a table."""

    name: str
    what: str
    module: str
    """run with `python -m` in the peer's environment; see `protocol`"""
    requirements: tuple[str, ...]
    """pinned: figures are of these versions"""
    weights: Literal["open_clip", "transformers"]


PEERS = (
    Peer(
        name="clip-retrieval",
        what="clip-retrieval inference",
        module="benchmarks.peers.clip_retrieval",
        # its OpenAI half asks for pkg_resources, which setuptools has until 81
        requirements=("clip-retrieval==2.45.0", "setuptools<81"),
        weights="open_clip",
    ),
    Peer(
        name="infinity-emb",
        what="infinity-emb, torch",
        module="benchmarks.peers.infinity",
        # aiohttp: it wants that for pictures, and leaves it to its server extra
        requirements=("infinity-emb[torch,vision]==0.0.78", "aiohttp==3.14.*"),
        weights="transformers",
    ),
    Peer(
        name="sentence-transformers",
        what="sentence-transformers, CLIP",
        module="benchmarks.peers.sentence_transformers",
        requirements=("sentence-transformers[image]==6.2.0",),
        weights="transformers",
    ),
    Peer(
        name="lancedb",
        what="LanceDB, open-clip function",
        module="benchmarks.peers.lance",
        requirements=("lancedb==0.40.0", "open_clip_torch==3.3.0", "pandas==3.1.*", "tqdm"),
        weights="open_clip",
    ),
)
CONSTRAINTS = ("torch==2.13.*", "torchvision==0.28.*")
"""as thanopg has them: the same kernels below every tool"""


def default_directory() -> Path:
    """Where the environments are: $THANOPG_PEERS, or in the user's cache."""
    if given := os.environ.get(DIRECTORY_VARIABLE):
        return Path(given)
    return user_cache() / "peers"
