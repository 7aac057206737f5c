"""Builds a peer's environment, or writes down why there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.catalogue import CONSTRAINTS, Peer

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 1800
IMPORT_SECONDS = 300
OFFLINE = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1", "WANDB_MODE": "disabled", "TOKENIZERS_PARALLELISM": "false"}
"""nothing is fetched, and nobody told"""


class Step(NamedTuple):
    command: Sequence[str | Path]
    seconds: float
    failure: str
    """what to say of it, before the last words of the command"""


def install(peer: Peer, directory: Path) -> str | None:
    """None when the peer's script can be imported there, and else why not, in one line. What is there is kept."""
    environment = directory / peer.name
    wanted = "\n".join([*peer.requirements, *CONSTRAINTS])
    done = environment / "installed.txt"
    if done.exists() and done.read_text() == wanted:
        return None
    shutil.rmtree(environment, ignore_errors=True)
    environment.mkdir(parents=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(CONSTRAINTS))
        constraints.flush()
        reason = first_failure(_steps(peer, environment, constraints.name))
    if reason is None:
        done.write_text(wanted)
        _reason_file(peer, directory).unlink(missing_ok=True)
    else:
        _reason_file(peer, directory).write_text(reason + "\n")
    return reason


def why_not(peer: Peer, directory: Path) -> str | None:
    """Why the peer can't be run from `directory`; None if it can."""
    if (directory / peer.name / "installed.txt").exists():
        return None
    if _reason_file(peer, directory).exists():
        return _reason_file(peer, directory).read_text().strip()
    return f"not installed: python -m benchmarks.peers install {peer.name}"


def python_of(peer: Peer, directory: Path) -> Path:
    return directory / peer.name / "bin" / "python"


def peer_environment() -> dict[str, str]:
    """Variables of a peer's process: our modules beside its own, no network."""
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
    return {**kept, **OFFLINE, "PYTHONPATH": str(ROOT)}


def first_failure(steps: Sequence[Step]) -> str | None:
    """Runs them in order; what it is that failed, and why, or None."""
    for command, seconds, failure in steps:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=seconds, env=peer_environment(), cwd=ROOT
            )
        except subprocess.TimeoutExpired:
            return f"{failure}: not done after {seconds:g} seconds"
        if done.returncode:
            return f"{failure}: {last_error(done.stderr)}"
    return None


def last_error(text: str) -> str:
    """The line that tells most: pip's last ERROR, or the last of a traceback."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1]


def _steps(peer: Peer, environment: Path, constraints: str) -> list[Step]:
    python = environment / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, *peer.requirements]
    return [
        Step((sys.executable, "-m", "venv", environment), IMPORT_SECONDS, "no virtual environment"),
        Step(pip, INSTALL_SECONDS, "pip can't install it"),
        Step((python, "-c", f"import {peer.module}"), IMPORT_SECONDS, "installed, but can't be imported"),
    ]


def _reason_file(peer: Peer, directory: Path) -> Path:
    return directory / f"{peer.name}.skipped.txt"
