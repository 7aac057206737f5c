"""Whether installed peers work here: their seconds, and whether their vectors are plain open_clip's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measure import timed
from benchmarks.peers.available import BATCH, available_peers
from benchmarks.peers.catalogue import Peer
from benchmarks.photographs import SIZES, write_photographs
from benchmarks.plain import PlainOpenClip, save_random

PLAIN = "plain open_clip loop"
ROUNDS = 1


def trial(peers: Sequence[Peer], environments: Path, directory: Path, count: int) -> Iterator[str]:
    """A line for each tool: seconds for `count` pictures of 640 pixels, and the least cosine to plain open_clip."""
    paths = write_photographs(directory / "pictures", SIZES["640 pixels"], count)
    source = save_random("ViT-B-32", directory / "model")
    plain = PlainOpenClip(source)
    wanted = plain.loop(paths, BATCH)
    with available_peers(source, directory, environments=environments, peers=peers) as found:
        yield from (f"{name:32} skipped: {reason}" for name, reason in found.skipped)
        calls = {what: partial(call, paths) for what, call in found.calls.items()}
        for what, times in timed({PLAIN: partial(plain.loop, paths, BATCH), **calls}, rounds=ROUNDS).items():
            line = f"{what:32} {times[-1] / 1000:8.2f} s"
            if what in found.calls and (last := found.calls[what].last) is not None:
                cosine = float((last.vectors * wanted).sum(axis=1).min())
                line += f"   last {last.seconds:8.2f} s by its own clock   cosine {cosine:.5f}"
            yield line
