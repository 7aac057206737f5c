"""The compiled native function inside a home: copied from the package, or compiled there when it has none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from thanopg.database.binaries import MAJOR
from thanopg.database.native_build import BuildFailure, build_one, library_name

LIBRARY = "thanopg_native.so"
PACKAGED = Path(__file__).resolve().parent / "native"


def ensure_native_library(directory: Path) -> str | None:
    """Put the library into `directory`; None, or why there is none."""
    packaged = PACKAGED / library_name(MAJOR)
    target = directory / LIBRARY
    if packaged.is_file():
        if not (target.is_file() and target.read_bytes() == packaged.read_bytes()):
            half = directory / f"{LIBRARY}.{os.getpid()}.half"
            shutil.copyfile(packaged, half)
            _put(half, target)
        return None
    if target.is_file():
        return None
    half = directory / f"{LIBRARY}.{os.getpid()}.half"
    try:
        build_one(MAJOR, half)
    except BuildFailure as failure:
        half.unlink(missing_ok=True)
        return str(failure)
    _put(half, target)
    return None


def _put(half: Path, target: Path) -> None:
    half.chmod(0o755)
    half.rename(target)  # never written in place: a running server has the old one mapped
