"""The peers that can be run here and now, for a benchmark; of the others, why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.catalogue import PEERS, Peer, default_directory
from benchmarks.peers.install import python_of, why_not
from benchmarks.peers.process import Answer, PeerFailed, PeerProcess
from thanopg.models.embedder import Vectors

BATCH = 32


class Skipped(NamedTuple):
    name: str
    reason: str


@dataclass
class PeerCall:
    """Vectors of all files of one directory, in the order of their names, by a peer.

    Raises PeerFailed when the peer hangs, dies or makes something else; it has ended then.
    """

    process: PeerProcess
    last: Answer | None = None

    def __call__(self, paths: Sequence[Path]) -> Vectors:
        self.last = self.process.embed(paths[0].parent, len(paths), BATCH)
        return self.last.vectors


class Peers(NamedTuple):
    calls: dict[str, PeerCall]
    """by what a table says of them"""
    skipped: list[Skipped]


@contextmanager
def available_peers(
    source: str, directory: Path, *, environments: Path | None = None, peers: Sequence[Peer] = PEERS
) -> Iterator[Peers]:
    """Peers with the model `source` (local-dir:…) loaded; `directory` is for what they write."""
    found = default_directory() if environments is None else environments
    there = Peers({}, [])
    models = {"open_clip": Path(source.removeprefix("local-dir:"))}
    with ExitStack() as stack:
        for peer in peers:
            if (reason := why_not(peer, found)) is not None:
                there.skipped.append(Skipped(peer.name, reason))
                continue
            if peer.weights not in models:
                from benchmarks.peers.transformers_model import save_for_transformers  # loads open_clip, and torch

                models[peer.weights] = save_for_transformers(models["open_clip"], directory / "transformers")
            try:
                process = start(peer, found, models[peer.weights], directory)
            except PeerFailed as failure:
                there.skipped.append(Skipped(peer.name, str(failure)))
                continue
            stack.enter_context(process)
            there.calls[peer.what] = PeerCall(process)
        yield there


def start(peer: Peer, environments: Path, model: Path, directory: Path) -> PeerProcess:
    command: list[str | Path] = [python_of(peer, environments), "-m", peer.module, model]
    return PeerProcess(command, directory / peer.name)
