"""The compiled native function inside a home: copied from the package, or compiled there when it has none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from thanopg.database.binaries import MAJOR
from thanopg.database.native_build import BuildFailure, build_one, is_current, library_name

LIBRARY = "thanopg_native.so"
PACKAGED = Path(__file__).resolve().parent / "native"


def ensure_native_library(directory: Path) -> str | None:
    """Put the library into `directory`; None, or why there is none."""
    packaged, target = PACKAGED / library_name(MAJOR), directory / LIBRARY
    half = directory / f"{LIBRARY}.{os.getpid()}.half"
    try:
        if is_current(target):
            return None
        if is_current(packaged):
            shutil.copyfile(packaged, half)
        else:
            build_one(MAJOR, half)
    except BuildFailure as failure:
        return str(failure)
    half.chmod(0o755)
    half.replace(target)  # never written in place: a running server has the old one mapped
    return None
