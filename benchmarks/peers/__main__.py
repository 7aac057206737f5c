"""`python -m benchmarks.peers install|try [NAME …]`: environments for other tools, and whether they work.

Example: `python -m benchmarks.peers install clip-retrieval lancedb`
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.catalogue import DIRECTORY_VARIABLE, PEERS, Peer, default_directory
from benchmarks.peers.install import install

PICTURES = 64


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="peers:\n" + "\n".join(f"  {peer.name:22} {' '.join(peer.requirements)}" for peer in PEERS),
    )
    parser.add_argument("command", choices=("install", "try"), help="install: minutes each; try: seconds and cosine")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all by default")
    where = f"of the environments; ${DIRECTORY_VARIABLE} or {default_directory()} by default"
    parser.add_argument("--directory", type=Path, default=default_directory(), help=where)
    given = parser.parse_args()
    known = {peer.name: peer for peer in PEERS}
    if unknown := set(given.names) - set(known):
        parser.error(f"no peer named {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    peers = [known[name] for name in given.names] or list(PEERS)
    if given.command == "install":
        sys.exit(_install(peers, given.directory))
    _try(peers, given.directory)


def _install(peers: Sequence[Peer], directory: Path) -> int:
    """How many can't be installed."""
    failed = 0
    for peer in peers:
        print(f"{peer.name}: installing into {directory / peer.name}", file=sys.stderr)
        reason = install(peer, directory)
        failed += reason is not None
        print(f"{peer.name}: " + ("installed" if reason is None else f"skipped: {reason}"))
    return failed


def _try(peers: Sequence[Peer], environments: Path) -> None:
    """Each of them on the same pictures, in turn with the plain loop."""
    from benchmarks.peers.trial import trial

    with tempfile.TemporaryDirectory(prefix="thanopg-peers-") as directory:
        for line in trial(peers, environments, Path(directory), PICTURES):
            print(line, flush=True)


if __name__ == "__main__":
    main()
