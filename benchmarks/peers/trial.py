"""Whether installed peers work here: their seconds, and whether their vectors are plain open_clip's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.peers.available import available_peers
from benchmarks.peers.catalogue import Peer
from benchmarks.peers.process import PeerFailed
from benchmarks.photographs import SIZES, write_photographs
from benchmarks.plain import PlainOpenClip, save_random

BATCH = 32
ROUNDS = 2
"""the first is warm-up"""


def trial(peers: Sequence[Peer], environments: Path, directory: Path, count: int) -> Iterator[str]:
    """A line for each tool: seconds for `count` pictures of 640 pixels, and the least cosine to plain open_clip."""
    paths = write_photographs(directory / "pictures", SIZES["640 pixels"], count)
    source = save_random("ViT-B-32", directory / "model")
    plain = PlainOpenClip(source)
    wanted = plain.loop(paths, BATCH)
    begin = time.perf_counter()
    plain.loop(paths, BATCH)
    yield f"{'plain open_clip loop':32} {time.perf_counter() - begin:8.2f} s"
    with available_peers(source, directory, environments=environments, peers=peers) as found:
        for what, call in found.calls.items():
            try:
                for _ in range(ROUNDS):
                    begin = time.perf_counter()
                    vectors = call(paths)
                    seconds = time.perf_counter() - begin
            except PeerFailed as failure:
                yield f"{what:32} failed: {failure}"
            else:
                own = call.last.seconds if call.last else 0.0
                cosine = float((vectors * wanted).sum(axis=1).min())
                yield f"{what:32} {seconds:8.2f} s   {own:8.2f} s by its own clock   cosine {cosine:.5f}"
        yield from (f"{name:32} skipped: {reason}" for name, reason in found.skipped)
